import type { Alternative, WhyAnswer } from './answer.ts';
import { noResult, textOf } from './choose.ts';
import type { Attributes, DecisionSpan, TaskEvidence } from './evidence.ts';
import { isRecord, parseJson } from './json.ts';
import { outputText } from './knowledge.ts';
import { parseMessage } from './message.ts';
import type { Approval, Call, Chosen, Step } from './model.ts';
import type { SpanTree } from './span-tree.ts';

/** A span event or log record that declares something. Its id stays the same as others arrive. */
interface Signal {
  readonly id: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly time: bigint;
  readonly name: string;
  readonly agent: string | null;
  readonly scope: string;
  readonly attributes: Attributes;
}

/** Declared decisions, approvals, fallbacks, and handoffs that no tool call made. */
export interface Declared {
  readonly steps: readonly Step[];
  readonly approvals: readonly Approval[];
}

const names = new Set(['agent.decision', 'agent.handoff', 'agent.fallback', 'agent.approval']);

/** `handoffDone` tells of handoffs that a tool call already stands for: `(span, agent handed to)`. */
export function declaredSteps(
  { spans, logs, content }: TaskEvidence,
  tree: SpanTree,
  handoffDone: (spanId: string, to: string) => boolean,
): Declared {
  const signals = [...eventSignals(spans, tree), ...logSignals(logs)].filter(({ name }) =>
    names.has(name),
  );
  const approvals = approvalSteps(signals.filter(({ name }) => name === 'agent.approval'));
  const steps = signals.flatMap((signal): Step[] => {
    const to = signal.attributes['agent.handoff.to'];
    if (signal.name === 'agent.decision') return [decisionStep(signal)];
    if (signal.name === 'agent.fallback') return [fallbackStep(signal)];
    if (signal.name !== 'agent.handoff' || to === undefined || to === '') return [];
    return handoffDone(signal.span_id, to) ? [] : [handoffStep(signal, to)];
  });
  const plans = spans
    .filter(({ kind }) => kind === 'plan')
    .map((span) => planStep(span, tree, content));
  return { steps: [...steps, ...plans, ...approvals.steps], approvals: approvals.approvals };
}

function eventSignals(spans: TaskEvidence['spans'], tree: SpanTree): Signal[] {
  return spans.flatMap((span) => {
    const { agent, scope } = tree.place(span);
    return span.events.map((event, k) => ({
      id: `${span.span_id}.e${k}`,
      trace_id: span.trace_id,
      span_id: span.span_id,
      ...event,
      agent,
      scope,
    }));
  });
}

function logSignals(logs: TaskEvidence['logs']): Signal[] {
  return logs.map((log) => ({
    id: `${log.span_id || '0'.repeat(16)}.l${log.time.toString(36)}`,
    trace_id: log.trace_id || '0'.repeat(32),
    span_id: log.span_id || '0'.repeat(16),
    time: log.time,
    name: log.event_name,
    agent: log.agent_name || null,
    scope: '',
    attributes: log.attributes,
  }));
}

function declare(
  signal: Signal,
  topic: string | undefined,
  chosen: Chosen | null,
  why: WhyAnswer[] | null,
): Step {
  return {
    id: signal.id,
    n: 0,
    kind: 'declared',
    topic: topic || null,
    span: null,
    attempts: [],
    trace_id: signal.trace_id,
    span_id: signal.span_id,
    start: signal.time,
    end: signal.time,
    agent: signal.agent,
    scope: signal.scope,
    model: null,
    prev: null,
    next: [],
    turn: null,
    toolset: null,
    toolChoice: null,
    alternatives: [],
    chosen,
    why,
    informed: null,
    finish: 'unknown',
    cost_usd: null,
  };
}

function valueChoice(value: string | undefined): Chosen | null {
  if (value === undefined) return null;
  return { calls: [], answer: null, value, none: null };
}

function declaredWhy(text: string | undefined, spanId: string, confidence?: string): WhyAnswer[] {
  const certain = confidence === undefined ? Number.NaN : Number(confidence);
  if (text === undefined && Number.isNaN(certain)) return [];
  return [
    {
      kind: 'declared',
      text: text ?? null,
      span_id: spanId,
      ...(Number.isNaN(certain) ? {} : { confidence: certain }),
    },
  ];
}

function decisionStep(signal: Signal): Step {
  const read = (name: string) => signal.attributes[`agent.decision.${name}`];
  const step = declare(
    signal,
    read('name'),
    valueChoice(read('chosen')),
    declaredWhy(read('reason'), signal.span_id, read('confidence')),
  );
  step.alternatives = alternativesOf(read('alternatives'));
  return step;
}

/** A plan that has a span of its own: what it put out is what was planned. */
function planStep(span: DecisionSpan, tree: SpanTree, content: ReadonlyMap<string, string>): Step {
  const { agent, scope } = tree.place(span);
  const signal: Signal = {
    id: span.span_id,
    trace_id: span.trace_id,
    span_id: span.span_id,
    time: span.start,
    name: 'plan',
    agent,
    scope,
    attributes: {},
  };
  const said = span.output_messages.map((hash) => content.get(hash));
  const messages = said.every((text) => text !== undefined) ? said.map(parseMessage) : [];
  const text = messages.length > 0 ? messages.map(textOf).join('\n') : outputText(span, content);
  const chosen = valueChoice(text ?? undefined);
  const planned = chosen === null ? null : { ...chosen, said: true as const };
  return { ...declare(signal, 'plan', planned, []), end: span.end };
}

function alternativesOf(text: string | undefined): Alternative[] {
  const value = text === undefined ? [] : parseJson(text);
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Alternative[] => {
    if (typeof item === 'string') return [{ value: item }];
    if (!isRecord(item) || item['value'] === undefined) return [];
    const { score, reason } = item as { score?: unknown; reason?: unknown };
    return [
      {
        value: typeof item['value'] === 'string' ? item['value'] : JSON.stringify(item['value']),
        ...(typeof score === 'number' ? { score } : {}),
        ...(typeof reason === 'string' ? { reason } : {}),
      },
    ];
  });
}

function fallbackStep(signal: Signal): Step {
  const read = (name: string) => signal.attributes[`agent.fallback.${name}`];
  const step = declare(
    signal,
    'fallback',
    valueChoice(read('to')),
    declaredWhy(read('reason'), signal.span_id),
  );
  const from = read('from');
  step.alternatives = from === undefined ? [] : [{ value: from }];
  return step;
}

function handoffStep(signal: Signal, to: string): Step {
  const why = declaredWhy(signal.attributes['agent.handoff.reason'], signal.span_id);
  const calls: Call[] = [];
  const step = declare(signal, 'handoff', { calls, answer: null, value: null, none: null }, why);
  calls.push({
    id: `${signal.id}.c0`,
    step,
    tool: '',
    call_id: '',
    args: null,
    argsText: null,
    argsKey: null,
    valid: null,
    violations: [],
    effect: 'unknown',
    effectInferred: true,
    server: false,
    handoffTo: to,
    sources: null,
    unsourced: null,
    result: noResult(),
  });
  return step;
}

/** One declared decision per approval: what was asked, and what was answered. */
function approvalSteps(signals: readonly Signal[]): Declared {
  const byId = new Map<string, Signal[]>();
  for (const signal of signals.toSorted((a, b) => (a.time < b.time ? -1 : 1))) {
    const id = signal.attributes['agent.approval.id'] ?? signal.id;
    const list = byId.get(id);
    if (list === undefined) byId.set(id, [signal]);
    else list.push(signal);
  }
  const made = [...byId].map(([id, own]) => approvalStep(id, own));
  return { steps: made.map(({ step }) => step), approvals: made.map(({ approval }) => approval) };
}

function approvalStep(id: string, signals: readonly Signal[]) {
  const read = (signal: Signal | undefined, name: string) =>
    signal?.attributes[`agent.approval.${name}`];
  const verdict = signals.findLast((signal) =>
    ['approved', 'denied', 'expired'].includes(read(signal, 'status') ?? ''),
  );
  const request = signals[0] as Signal;
  const status = (read(verdict, 'status') ?? 'requested') as Approval['status'];
  const first = (name: string) =>
    signals.map((signal) => read(signal, name)).find((value) => value !== undefined) ?? '';
  const by = read(verdict, 'by');
  const chosen = verdict === undefined ? null : valueChoice(status);
  const why: WhyAnswer[] =
    by === undefined || verdict === undefined
      ? []
      : [{ kind: 'human', text: `${status} by ${by}`, span_id: verdict.span_id }];
  const action = first('action');
  const step: Step = {
    ...declare(request, 'approval', chosen, why),
    ...(action === '' ? {} : { subject: action }),
    end: verdict?.time ?? request.time,
  };
  step.alternatives = [{ value: 'approved' }, { value: 'denied' }];
  const approval: Approval = {
    step: step.id,
    id,
    action,
    call_id: first('call_id'),
    status,
    at: step.end,
  };
  return { step, approval };
}
