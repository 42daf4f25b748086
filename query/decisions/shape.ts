import type {
  ChosenAnswer,
  DecisionAnswer,
  DecisionsAnswer,
  FindingAnswer,
  InformedByAnswer,
  ResultAnswer,
  SuspectAnswer,
  UsageAnswer,
  WhyAnswer,
} from './answer.ts';
import { toolsetAnswers } from './derive.ts';
import { isRecord } from './json.ts';
import { type Call, type Content, milliseconds, type Step, type Trajectory } from './model.ts';
import { cut, oneLine, summarise } from './wording.ts';

export type ContentLevel = 'preview' | 'full' | 'none';

export interface PageOptions {
  readonly content: ContentLevel;
  /** Only decisions of this agent. */
  readonly agent?: string | undefined;
  readonly limit: number;
  /** The last `n` of the page before. */
  readonly after: number;
  readonly cursorOf: (n: number) => string;
}

/** One page of the answer. Edges, findings and suspects are those of the decisions on the page. */
export function toAnswer(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
  suspects: readonly SuspectAnswer[],
  options: PageOptions,
): DecisionsAnswer {
  const { task, edges } = trajectory;
  const wanted = trajectory.steps.filter(
    ({ n, agent }) => n > options.after && (options.agent === undefined || agent === options.agent),
  );
  const page = wanted.slice(0, options.limit);
  const ids = new Set(page.flatMap((step) => [step.id, ...callsOf(step).map(({ id }) => id)]));
  const last = page.at(-1);
  const isFirst = options.after === 0;
  return {
    task_id: task.task_id,
    workflow: task.workflow,
    state: task.state,
    outcome: task.outcome,
    outcome_source: task.outcome_source,
    complete: ['done', 'failed', 'cancelled'].includes(task.state),
    toolsets: toolsetAnswers(trajectory.toolsets),
    decisions: page.map((step) => toDecision(step, options.content)),
    edges: edges.filter(({ to }) => ids.has(to)),
    findings: findings
      .filter(({ decision }) => (decision === null ? isFirst : ids.has(decision)))
      .map((finding) => (options.content === 'none' ? withoutWords(finding) : finding)),
    suspects: suspects
      .filter(({ decision }) => ids.has(decision))
      .map((suspect) => (options.content === 'none' ? withoutReasons(suspect) : suspect)),
    next_cursor:
      last !== undefined && wanted.length > page.length ? options.cursorOf(last.n) : null,
  };
}

/** Sentences quote content; without content the name of the rule must do. */
function withoutWords({ detail: _, ...finding }: FindingAnswer): FindingAnswer {
  return { ...finding, text: finding.finding.replaceAll('_', ' ') };
}

function withoutReasons(suspect: SuspectAnswer): SuspectAnswer {
  const reasons = suspect.reasons.map((own) => ({ ...own, text: own.signal.replaceAll('_', ' ') }));
  return { ...suspect, reasons };
}

function callsOf(step: Step): readonly Call[] {
  return step.chosen?.calls ?? [];
}

function toDecision(step: Step, level: ContentLevel): DecisionAnswer {
  return {
    n: step.n,
    id: step.id,
    kind: step.kind,
    trace_id: step.trace_id,
    span_id: step.span_id,
    at: new Date(Number(step.start / 1_000_000n)).toISOString(),
    agent: step.agent,
    turn: step.turn,
    model: step.model,
    summary: summarise(step, level === 'none'),
    options: optionsOf(step, level),
    chosen: chosenAnswers(step, level),
    why: step.why?.map((why) => toWhy(why, level)) ?? null,
    informed_by: step.informed?.map((content) => toInformedBy(content, level)) ?? null,
    results: step.kind === 'declared' ? [] : callsOf(step).map((call) => toResult(call, level)),
    usage: usageOf(step),
    cost_usd: rounded(step.cost_usd, 12),
    duration_ms: durationOf(step),
    ttft_ms: rounded(step.span?.ttft_ms ?? null, 6),
    attempts: Math.max(1, step.attempts.length),
    finish_reason: step.finish,
    next: step.next.map(({ id }) => id),
  };
}

/** Sums and units leave noise behind the last digit that means anything: a trillionth of a dollar, a nanosecond. */
function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}

function durationOf(step: Step): number | null {
  if (step.span === null && step.start === step.end) return null;
  return milliseconds(step.start, step.end);
}

function optionsOf({ toolset, toolChoice, alternatives, kind }: Step, level: ContentLevel) {
  if (toolset === null && alternatives.length === 0 && kind === 'inference') return null;
  const length = level === 'full' ? Number.POSITIVE_INFINITY : 240;
  // What a model might have said instead is content; what code declares as options is not.
  const shown = level === 'none' && kind === 'inference' ? [] : alternatives;
  return {
    toolset: toolset?.id ?? null,
    tool_choice: toolChoice,
    alternatives: shown.map(({ reason, ...other }) => ({
      ...other,
      value: cut(other.value, length),
      ...(reason === undefined || level === 'none' ? {} : { reason: cut(reason, length) }),
    })),
  };
}

function usageOf({ span }: Step): UsageAnswer | null {
  if (span === null || span.input_tokens === null || span.output_tokens === null) return null;
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens } =
    span;
  return {
    input_tokens,
    output_tokens,
    ...(cache_read_tokens === null ? {} : { cache_read_tokens }),
    ...(cache_write_tokens === null ? {} : { cache_write_tokens }),
    ...(reasoning_tokens === null ? {} : { reasoning_tokens }),
  };
}

/** Null where it is not known, and where it is nothing but content that was not asked for. */
function chosenAnswers({ chosen }: Step, level: ContentLevel): ChosenAnswer[] | null {
  if (chosen === null || (chosen.said && level === 'none')) return null;
  const { calls, answer, value, none } = chosen;
  return [
    ...calls.map((call) => toChosenCall(call, level)),
    ...(answer === null
      ? []
      : [
          {
            type: answer.type,
            text: show(answer.text, level, 240),
            bytes: answer.text === null ? null : Buffer.byteLength(answer.text),
          },
        ]),
    ...(value === null
      ? []
      : [{ type: 'value' as const, value: level === 'full' ? value : cut(oneLine(value), 240) }]),
    ...(none === null ? [] : [{ type: 'none' as const, reason: none }]),
  ];
}

function toChosenCall(call: Call, level: ContentLevel): ChosenAnswer {
  const shared = {
    id: call.id,
    tool: call.tool || null,
    call_id: call.call_id || null,
    arguments: level === 'none' ? null : level === 'full' ? call.args : shorten(call.args),
    valid: call.valid,
    ...(call.violations.length === 0 ? {} : { violations: violationsOf(call, level) }),
  };
  if (call.handoffTo !== null) return { type: 'handoff', to: call.handoffTo, ...shared };
  return {
    type: 'tool_call',
    ...shared,
    sources: call.sources,
    unsourced: call.unsourced?.map(({ pointer }) => pointer) ?? null,
  };
}

/** A violation quotes the value after its place. */
function violationsOf({ violations }: Call, level: ContentLevel): readonly string[] {
  return level === 'none' ? violations.map((text) => text.split(':')[0] ?? '') : violations;
}

// Longer texts inside arguments are cut in previews.
const maxArgument = 300;

function shorten(value: unknown, depth = 0): unknown {
  if (typeof value === 'string')
    return value.length > maxArgument ? `${value.slice(0, maxArgument - 1)}…` : value;
  if (depth > 32) return null;
  if (Array.isArray(value)) return value.map((item) => shorten(item, depth + 1));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, shorten(item, depth + 1)]),
  );
}

function toWhy(why: WhyAnswer, level: ContentLevel): WhyAnswer {
  return { ...why, text: show(why.text, level, 300) };
}

function toInformedBy({ id, kind, text }: Content, level: ContentLevel): InformedByAnswer {
  return {
    id,
    kind,
    preview: show(text, level, kind === 'system' ? 80 : 160),
    bytes: text === null ? null : Buffer.byteLength(text),
  };
}

function toResult({ id, result }: Call, level: ContentLevel): ResultAnswer {
  return {
    call: id,
    span_id: result.span?.span_id ?? null,
    status: result.status,
    detected_by: result.detected_by,
    valid: result.valid,
    duration_ms: result.duration_ms,
    bytes: result.bytes,
    preview: show(result.text, level, 160),
  };
}

function show(text: string | null, level: ContentLevel, length: number): string | null {
  if (text === null || level === 'none') return null;
  return level === 'full' ? text : cut(oneLine(text), length);
}
