import { emptyRow } from '../tables/empty-row.ts';
import { spans } from '../tables/spans.ts';
import type { Call } from './calls.ts';
import { hasUsage } from './sightings.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';
import { compareText, compareTime } from './trace.ts';

/** The kind of what stands for a sum of metrics (`metric-usage.ts`). */
export const usageSum = 'usage';

const KINDS: Readonly<Record<string, Call['kind']>> = {
  llm: 'llm',
  embedding: 'embedding',
  reranker: 'reranker',
  tool: 'tool',
  [usageSum]: 'llm',
};

/** Whether the record reports tokens of a model call, or a sum of them. */
export function isMetered({ kind, input_tokens, output_tokens }: TaskLog): boolean {
  if (kind === 'tool' || KINDS[kind] === undefined) return false;
  return input_tokens !== null || output_tokens !== null;
}

/** When the call began that a record reports at its end; other records have no length. */
export function startOf({ time, duration_ms }: TaskLog): bigint {
  return duration_ms === null ? time : time - BigInt(Math.round(duration_ms * 1e6));
}

const BLANK: TaskSpan = { ...emptyRow(spans), events: [] };

/** The call that a log record reports, as if a span had told of it; null for other records. */
export function callOfLog(log: TaskLog): Call | null {
  const kind = KINDS[log.kind];
  if (kind === undefined) return null;
  const { provider, tool_name, agent_name, response_model, request_model } = log;
  return {
    span: spanOfLog(log),
    index: -1,
    kind,
    aggregate: log.kind === usageSum,
    covers: false,
    covered: false,
    provider,
    name: kind === 'tool' ? tool_name : response_model || request_model,
    agent: agent_name,
    attempt: null,
    errorBy: log.call_status,
  };
}

function spanOfLog(log: TaskLog): TaskSpan {
  const { provider, request_model, service, hash } = log;
  return {
    ...BLANK,
    project: log.project,
    trace_id: log.trace_id,
    span_id:
      log.kind === usageSum
        ? `metrics-${service}/${provider}/${request_model}`
        : `log-${hash.toString(16).padStart(16, '0')}`,
    parent_id: log.span_id,
    name: log.event_name,
    start: startOf(log),
    end: log.time,
    status: log.call_status === '' ? 'unset' : 'error',
    service,
    kind: log.kind,
    provider,
    request_model,
    response_model: log.response_model,
    response_id: log.response_id,
    service_tier: log.service_tier,
    input_tokens: log.input_tokens,
    output_tokens: log.output_tokens,
    cache_read_tokens: log.cache_read_tokens,
    cache_write_tokens: log.cache_write_tokens,
    cache_write_1h_tokens: log.cache_write_1h_tokens,
    reasoning_tokens: log.reasoning_tokens,
    cost_reported: log.cost_reported,
    ttft_ms: log.ttft_ms,
    tool_name: log.tool_name,
    tool_call_id: log.tool_call_id,
    tool_error_by: log.kind === 'tool' ? log.call_status : '',
  };
}

/**
 * The calls that only log records or metrics of a task tell of. Of one service spans go before records and records
 * before metrics, never added up: a record counts beside spans only where both name their calls and no span names this.
 */
export function toldOtherwise(bySpans: readonly Call[], told: readonly Call[]): Call[] {
  const records = told
    .filter(({ aggregate }) => !aggregate)
    .sort((a, b) => compareTime(a.span.start, b.span.start) || compareSpans(a, b));
  const seen = new Set<string>();
  const fresh = records.filter((call) => {
    if (isKnown(call, bySpans)) return false;
    const id = idOf(call);
    const key = JSON.stringify([call.kind === 'tool', id]);
    return id === '' || (!seen.has(key) && seen.add(key).size > 0);
  });
  const metered = new Set(
    [...bySpans, ...fresh].filter(usesTokens).map(({ span }) => span.service),
  );
  const sums = told.filter(({ aggregate, span }) => aggregate && !metered.has(span.service));
  return [...fresh, ...sums];
}

function compareSpans(a: Call, b: Call): number {
  return (
    compareText(a.span.trace_id, b.span.trace_id) || compareText(a.span.span_id, b.span.span_id)
  );
}

function usesTokens({ kind, span }: Call): boolean {
  return kind !== 'tool' && hasUsage(span);
}

function isKnown(call: Call, bySpans: readonly Call[]): boolean {
  const id = idOf(call);
  const alike = bySpans.filter(({ kind }) => (kind === 'tool') === (call.kind === 'tool'));
  if (id !== '' && alike.some((one) => idOf(one) === id)) return true;
  const own = alike.filter(({ span }) => span.service === call.span.service);
  return own.length > 0 && (id === '' || own.some((one) => idOf(one) === ''));
}

function idOf({ kind, span }: Call): string {
  return kind === 'tool' ? span.tool_call_id : span.response_id;
}
