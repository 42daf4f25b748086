import type { Span } from '@opentelemetry/api';
import { attempt, failed } from './guard.ts';
import { runtime } from './runtime.ts';

/** What a task may spend. Money, tokens and time are known after a call: the overshoot is at most one call. */
export interface Budget {
  /** US dollars, by the price hook or as the provider reports them. */
  readonly usd?: number | undefined;
  /** Input and output tokens together. */
  readonly tokens?: number | undefined;
  readonly llmCalls?: number | undefined;
  readonly toolCalls?: number | undefined;
  /** Wall time since the task started here. */
  readonly ms?: number | undefined;
  /** How often one tool may be called with the same arguments. */
  readonly sameCall?: number | undefined;
  /** Model calls of one agent in one run. */
  readonly iterations?: number | undefined;
  /** Model and tool calls under way at once. */
  readonly parallel?: number | undefined;
  /** `stop` by default. A function decides each time; what it throws stops. */
  readonly mode?: 'warn' | 'stop' | ((exceeded: BudgetExceeded) => 'stop' | 'continue') | undefined;
}

type LimitKey = Exclude<keyof Budget, 'mode'>;

const names = {
  usd: 'usd',
  tokens: 'tokens',
  llmCalls: 'llm_calls',
  toolCalls: 'tool_calls',
  ms: 'ms',
  sameCall: 'same_call',
  iterations: 'iterations',
  parallel: 'parallel',
} as const satisfies Record<LimitKey, string>;

export interface BudgetExceeded {
  readonly budget: (typeof names)[LimitKey];
  readonly limit: number;
  readonly spent: number;
  readonly taskId: string;
}

/** Thrown by tools that a budget stops; a stopped model call is an HTTP 402 with the same code. */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError';
  readonly code = 'budget_exceeded';
  readonly exceeded: BudgetExceeded;

  constructor(exceeded: BudgetExceeded) {
    super(sentence(exceeded));
    this.exceeded = exceeded;
  }
}

/** The stop in words. */
export function sentence({ budget, limit, spent, taskId }: BudgetExceeded): string {
  return `task ${taskId} exceeded its budget: ${budget} ${spent} of ${limit}`;
}

/** Counts what a task spends in this process; what a subtask spends counts for its parent too. */
export interface Meter {
  readonly budget: Budget;
  readonly taskId: string;
  readonly parent: Meter | undefined;
  readonly startedAt: number;
  llmCalls: number;
  toolCalls: number;
  /** Tool calls that models asked for, whoever runs them. */
  asked: number;
  tokens: number;
  usd: number;
  inFlight: number;
  /** By `asked` or `ran` and the call's hash. Bounded. */
  readonly calls: Map<string, number>;
  readonly warned: Set<string>;
  stopped: boolean;
}

const maxDistinctCalls = 10_000;

export function newMeter(
  budget: Budget | undefined,
  taskId: string,
  parent: Meter | undefined,
): Meter | undefined {
  const limits = budget ?? runtime().guards?.budget;
  if (!limits) return parent;
  return {
    budget: limits,
    taskId,
    parent,
    startedAt: performance.now(),
    llmCalls: 0,
    toolCalls: 0,
    asked: 0,
    tokens: 0,
    usd: 0,
    inFlight: 0,
    calls: new Map(),
    warned: new Set(),
    stopped: false,
  };
}

type Next = Partial<Record<LimitKey, (meter: Meter) => number>>;

/** What a model call would bring each budget to. */
export function admitModelCall(
  meter: Meter | undefined,
  { iteration, retry }: { iteration: number; retry: boolean },
  span: Span | undefined,
): BudgetExceeded | undefined {
  const one = retry ? 0 : 1;
  return admit(meter, span, {
    llmCalls: (at) => at.llmCalls + one,
    iterations: () => iteration,
    toolCalls: (at) => at.asked,
    sameCall: (at) => at.calls.get('most asked') ?? 0,
    tokens: (at) => at.tokens + 1,
    usd: (at) => at.usd + Number.EPSILON,
    ms: elapsed,
    parallel: (at) => at.inFlight + 1,
  });
}

/** What a tool call would bring each budget to. */
export function admitTool(
  meter: Meter | undefined,
  callHash: string,
  span: Span | undefined,
): BudgetExceeded | undefined {
  return admit(meter, span, {
    toolCalls: (at) => at.toolCalls + 1,
    sameCall: (at) => (at.calls.get(`ran ${callHash}`) ?? 0) + 1,
    ms: elapsed,
    parallel: (at) => at.inFlight + 1,
  });
}

function elapsed(meter: Meter): number {
  return Math.ceil(performance.now() - meter.startedAt);
}

function admit(
  meter: Meter | undefined,
  span: Span | undefined,
  next: Next,
): BudgetExceeded | undefined {
  for (let at = meter; at; at = at.parent) {
    for (const key of Object.keys(next) as LimitKey[]) {
      const limit = at.budget[key];
      const would = next[key]?.(at) ?? 0;
      if (limit === undefined || would <= limit) continue;
      const spent = key === 'tokens' ? would - 1 : would;
      const exceeded = { budget: names[key], limit, spent, taskId: at.taskId };
      if (stops(at, exceeded, span)) return exceeded;
    }
  }
  return undefined;
}

function stops(meter: Meter, exceeded: BudgetExceeded, span: Span | undefined): boolean {
  const { mode = 'stop' } = meter.budget;
  const stop = mode === 'stop' || (mode !== 'warn' && decided(mode, exceeded));
  // A warning is told once; a stop is told on every call that it stops.
  if (!stop && meter.warned.has(exceeded.budget)) return false;
  meter.warned.add(exceeded.budget);
  if (stop) meter.stopped = true;
  attempt('budget.event', () => {
    span?.setAttribute('agent.budget.exceeded', exceeded.budget);
    span?.addEvent('agent.budget.exceeded', {
      'agent.budget.exceeded': exceeded.budget,
      'agent.budget.limit': exceeded.limit,
      'agent.budget.spent': exceeded.spent,
      'agent.budget.mode': stop ? 'stop' : 'warn',
    });
  });
  return stop;
}

function decided(mode: Exclude<Budget['mode'], string | undefined>, exceeded: BudgetExceeded) {
  try {
    return mode(exceeded) !== 'continue';
  } catch (error) {
    failed('budget.mode', error);
    return true;
  }
}

/** Adds to every meter from the task's own up to its outermost parent's. */
export function spend(meter: Meter | undefined, add: (meter: Meter) => void): void {
  for (let at = meter; at; at = at.parent) add(at);
}

/** Whether anybody asks what a call costs: prices take time, and models without one are told of. */
export function countsMoney(meter: Meter | undefined): boolean {
  for (let at = meter; at; at = at.parent) if (at.budget.usd !== undefined) return true;
  return false;
}

/** Counts one more call with these arguments, asked for by a model or run. */
export function countCall(meter: Meter, kind: 'asked' | 'ran', callHash: string): void {
  const key = `${kind} ${callHash}`;
  if (meter.calls.size >= maxDistinctCalls && !meter.calls.has(key)) return;
  const count = (meter.calls.get(key) ?? 0) + 1;
  meter.calls.set(key, count);
  const most = meter.calls.get('most asked') ?? 0;
  if (kind === 'asked' && count > most) meter.calls.set('most asked', count);
}

/** The answer in place of a stopped model call: SDKs raise it as an error of theirs and do not try again. */
export function refusal(exceeded: BudgetExceeded, api?: 'ollama' | 'openrouter'): Response {
  const error = {
    type: 'budget_exceeded',
    // OpenRouter's SDK takes numbers only.
    code: api === 'openrouter' ? 402 : 'budget_exceeded',
    status: 'budget_exceeded',
    message: sentence(exceeded),
    param: exceeded.budget,
  };
  const { message } = error;
  const told = api === 'ollama' ? message : error;
  return new Response(JSON.stringify({ type: 'error', error: told, message }), {
    status: 402,
    headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
  });
}
