import { type Attributes, context, type Span, trace } from '@opentelemetry/api';
import { continuing } from './adapters/mcp-meta.ts';
import type { Risk } from './approval.ts';
import { ApprovalDeniedError, whenAllowed } from './approval-policy.ts';
import { known } from './attributes.ts';
import { admitTool, BudgetExceededError, countCall, type Meter, spend } from './budget.ts';
import {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  CircuitOpenError,
  circuitBreaker,
} from './circuit-breaker.ts';
import { contentText } from './content.ts';
import { failSpan } from './failure.ts';
import { digest } from './fingerprint.ts';
import { attempt, guard } from './guard.ts';
import { matchCall, takeCall } from './pending-calls.ts';
import { canonicalJson } from './plain.ts';
import { contentLevel, runtime, scope } from './runtime.ts';
import { check, type Schema } from './schema.ts';
import { type Run, run, type Settled } from './settle.ts';
import { activeScope, activeTask, inheritedAttributes } from './task-context.ts';
import { describeResult } from './tool-result.ts';
import { parse } from './wire/json.ts';

/** What a tool does to the world; a `write` that happens twice is a finding. */
export type Effect = 'read' | 'write' | 'unknown';

export interface ToolOptions<Input, Output> {
  readonly name: string;
  readonly description?: string | undefined;
  /** Checked before the tool runs; it gets the parsed value. A refused input throws the schema's error, like a tool error. */
  readonly input?: Schema<Input> | undefined;
  /** Checked after the tool ran; a refused result still reaches the caller and is recorded as invalid. */
  readonly output?: Schema<unknown> | undefined;
  /** A check beyond the schema: `false` (or a throw) is an invalid result. */
  readonly validate?: ((result: Output) => boolean) | undefined;
  readonly effect?: Effect | undefined;
  readonly risk?: Risk | undefined;
  readonly idempotencyKey?: string | ((input: Input) => string | undefined) | undefined;
  /** The same call again and again is what it is for; no budget counts it as repeated. */
  readonly polling?: boolean | undefined;
  /** After so many failures in a row calls are refused for a while. */
  readonly circuitBreaker?: CircuitBreakerOptions | undefined;
}

/** Tells a tool which call of the model it runs for. As the AI SDK passes it. */
export interface ToolCallRef {
  readonly toolCallId: string;
}

type Callable = (...values: never[]) => unknown;

/** A wrapped tool: the same function, which may also be told the model's call id. */
export type Tool<F extends Callable> = F &
  ((input: Parameters<F>[0], call: ToolCallRef) => ReturnType<F>);

/**
 * The same function with an `execute_tool` span around each call. The call id comes from the second argument
 * (`{ toolCallId }`), else from the model's answer in this task that asked for it.
 */
export function tool<Input, Rest extends unknown[], Result>(
  options: ToolOptions<Input, Awaited<Result>> & { readonly input: Schema<Input> },
  fn: (input: Input, ...rest: Rest) => Result,
): Tool<(input: Input, ...rest: Rest) => Result>;
export function tool<F extends Callable>(
  options: Omit<ToolOptions<Parameters<F>[0], Awaited<ReturnType<F>>>, 'input'>,
  fn: F,
): Tool<F>;
export function tool(
  options: ToolOptions<unknown, unknown>,
  fn: (...values: unknown[]) => unknown,
): unknown {
  const { circuitBreaker: limits } = options;
  const breaker = limits && circuitBreaker(options.name, limits);
  const wrapped = function (this: unknown, ...values: unknown[]): unknown {
    const input = values[0];
    const call: ToolRun = { options, values, input, breaker, span: undefined, entered: undefined };
    return continuing(values, () =>
      run(
        'tool',
        () => begin(call),
        () => execute(this, fn, call),
      ),
    );
  };
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(wrapped, key, { value: fn[key], configurable: true });
  }
  return wrapped;
}

interface ToolRun {
  readonly options: ToolOptions<unknown, unknown>;
  readonly values: readonly unknown[];
  readonly input: unknown;
  readonly breaker: CircuitBreaker | undefined;
  span: Span | undefined;
  callId?: string | undefined;
  /** Set while the call counts as under way. */
  entered: Meter | undefined;
}

function begin(call: ToolRun): Run {
  const { options } = call;
  const at = context.active();
  const span = trace.getTracer(scope.name, scope.version).startSpan(
    `execute_tool ${options.name}`,
    {
      attributes: {
        ...inheritedAttributes(at),
        ...known({
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': options.name,
          'gen_ai.tool.type': 'function',
          'gen_ai.tool.description': options.description,
          'agent.tool.effect': options.effect,
          'agent.tool.risk': options.risk,
          'agent.tool.polling': options.polling,
          'agent.iteration': activeScope(at)?.iteration || undefined,
        }),
      },
    },
    at,
  );
  call.span = span;
  if (span.isRecording()) attempt('tool.arguments', () => span.setAttributes(describeCall(call)));
  return {
    context: trace.setSpan(at, span),
    end: (settled) => {
      leave(call, settled);
      if (!settled.ok) attempt('tool.error', () => failSpan(span, settled.error));
      else if (span.isRecording()) {
        attempt('tool.result', () => recordResult(span, options, settled.value));
      }
      span.end();
    },
  };
}

function describeCall(call: ToolRun): Attributes {
  const { options, values, input } = call;
  const level = contentLevel();
  const parsed = typeof input === 'string' ? (parse(input) ?? input) : (input ?? {});
  const json = canonicalJson(parsed);
  const key = 'gen_ai.tool.call.arguments';
  const asked = askedBy(values, options.name, json);
  call.callId = asked.id;
  return known({
    'gen_ai.tool.call.id': asked.id,
    'agent.tool.arguments.valid': asked.valid,
    [key]: level === 'full' ? contentText(input ?? {}, key) : undefined,
    'agent.tool.arguments.hash': level === 'none' ? undefined : digest(json),
    'agent.tool.idempotency_key': keyOf(options, input),
  });
}

/** Checks that the call may be made and its input, then runs the tool with what the schema made of it. */
function execute(self: unknown, fn: (...values: unknown[]) => unknown, call: ToolRun): unknown {
  const { options, values, span, input } = call;
  // An async tool never throws when it is called; its caller may rely on that.
  const refuse = (error: unknown): unknown => {
    if (fn.constructor.name === 'AsyncFunction') return Promise.reject(error as Error);
    throw error;
  };
  const stopped = guard('tool.guards', () => enter(call), undefined);
  if (stopped) return refuse(stopped);
  const checked = options.input ? check(options.input, input) : { valid: undefined };
  const { valid } = checked;
  if (valid !== undefined) {
    attempt('tool.valid', () => span?.setAttribute('agent.tool.arguments.valid', valid));
  }
  if (checked.valid === false) return refuse(checked.error);
  const given = checked.valid ? [checked.value, ...values.slice(1)] : values;
  const go = (): unknown => Reflect.apply(fn, self, given);
  const policy = runtime().guards?.approvals;
  if (!policy || !options.risk) return go();
  const { name, risk } = options;
  try {
    return whenAllowed(policy, { tool: name, risk, input: given[0], callId: call.callId }, go);
  } catch (error) {
    return refuse(error);
  }
}

/** Why the call may not be made, or `undefined`: then it counts. */
function enter(call: ToolRun): Error | undefined {
  const { breaker, options, input, span } = call;
  const meter = activeTask()?.meter;
  const hash = meter ? `${options.name} ${canonicalJson(input ?? {})}` : '';
  const exceeded = admitTool(meter, hash, span);
  if (exceeded) return new BudgetExceededError(exceeded);
  const open = breaker?.admit();
  if (open) return open;
  call.entered = meter;
  spend(meter, (at) => {
    at.inFlight += 1;
    at.toolCalls += 1;
    if (!options.polling) countCall(at, 'ran', hash);
  });
  return undefined;
}

function leave({ entered, breaker }: ToolRun, settled: Settled): void {
  spend(entered, (at) => {
    at.inFlight -= 1;
  });
  // Told by their classes: what was not called says nothing about the tool.
  const refused =
    !settled.ok &&
    [BudgetExceededError, CircuitOpenError, ApprovalDeniedError].some(
      (kind) => settled.error instanceof kind,
    );
  if (!refused) breaker?.settled(settled.ok);
}

function recordResult(span: Span, options: ToolOptions<unknown, unknown>, value: unknown): void {
  const level = contentLevel();
  const valid = validity(options, value);
  span.setAttributes(known({ 'agent.tool.result.valid': valid }));
  if (level === 'none') return;
  span.setAttributes(describeResult(value));
  if (level !== 'full' || value === undefined) return;
  const key = 'gen_ai.tool.call.result';
  span.setAttributes(known({ [key]: contentText(value, key) }));
}

/** Whether the result is what the tool promised; `undefined` when nothing was promised. */
function validity(options: ToolOptions<unknown, unknown>, value: unknown): boolean | undefined {
  const shaped = options.output && check(options.output, value).valid;
  if (shaped === false || !options.validate) return shaped;
  try {
    return options.validate(value);
  } catch {
    // Written for the promised shape: tripping over the result says that it is another.
    return false;
  }
}

function keyOf(
  { idempotencyKey }: ToolOptions<unknown, unknown>,
  input: unknown,
): string | undefined {
  if (typeof idempotencyKey !== 'function') return idempotencyKey;
  return guard('tool.idempotencyKey', () => idempotencyKey(input), undefined);
}

/** What is known of the model's call that this run answers. */
function askedBy(
  values: readonly unknown[],
  name: string,
  json: string,
): { readonly id?: string | undefined; readonly valid?: boolean | undefined } {
  const task = activeTask();
  const told = values
    .slice(1)
    .map(toldId)
    .find((id) => id !== undefined);
  if (told === undefined) return matchCall(task, name, json) ?? {};
  return { id: told, valid: takeCall(task, told)?.valid };
}

/** The call id as the AI SDK (`toolCallId`), LangChain and OpenAI Agents (`toolCall`) hand it to a tool. */
function toldId(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { toolCallId, toolCall } = value as { toolCallId?: unknown; toolCall?: unknown };
  if (typeof toolCallId === 'string') return toolCallId;
  const { id, callId } = (toolCall ?? {}) as { id?: unknown; callId?: unknown };
  return typeof callId === 'string' ? callId : typeof id === 'string' ? id : undefined;
}
