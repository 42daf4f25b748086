import type { Store } from '../../store/connection.ts';
import { join, param, query, sql } from '../../store/sql.ts';
import { rfc } from '../time.ts';
import type { Placed, TreeSpan } from './tree.ts';

/** More spans than this are paged: a tree is placed page by page of traces, never wholly in memory. */
export const maxTreeSpans = 100_000;

export interface SpanRecord extends TreeSpan {
  readonly record: Readonly<Record<string, unknown>>;
}

interface SpanQueryRow {
  readonly [column: string]: unknown;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id: string;
  readonly start_ns: string;
  readonly end_ns: string;
}

/** The spans of these traces, deduplicated, without payload. */
export async function spansOf(
  store: Store,
  project: string,
  traces: readonly string[],
): Promise<SpanRecord[]> {
  if (traces.length === 0) return [];
  const own = sql`project = ${param('String', project)} AND trace_id IN ${param('Array(String)', traces)}`;
  const rows = await query<SpanQueryRow>(
    store,
    sql`WITH (SELECT (min(first), max(last)) FROM trace_bounds WHERE ${own}) AS bounds
      SELECT trace_id, span_id, parent_id, toString(toUnixTimestamp64Nano(start)) AS start_ns,
        toString(toUnixTimestamp64Nano(end)) AS end_ns, spans.start AS start_time, name, kind, span_kind, status,
        status_message, service, agent_name, task_id, operation, provider,
        if(response_model != '', response_model, request_model) AS model, tool_name, tool_call_id, tool_error_by,
        iteration, cost_reported AS cost_usd_reported,
        input_tokens, output_tokens, ttft_ms, error_type, attributes
      FROM spans FINAL
      WHERE ${own}
        AND spans.start BETWEEN bounds.1 AND bounds.2
        AND toStartOfMinute(spans.start) BETWEEN toStartOfMinute(bounds.1) AND toStartOfMinute(bounds.2)
      ORDER BY spans.start, span_id
      LIMIT ${param('UInt32', maxTreeSpans)}`,
  );
  return rows.map(toSpan);
}

function toSpan(row: SpanQueryRow): SpanRecord {
  const { trace_id, span_id, parent_id, start_ns, end_ns, start_time, ...record } = row;
  return {
    trace_id,
    span_id,
    parent_id,
    start: BigInt(start_ns),
    end: BigInt(end_ns),
    record: { started_at: rfc(String(start_time)), ...record },
  };
}

/** The traces of a task, by its newest row; undefined when there is no such task. */
export async function tracesOfTask(
  store: Store,
  project: string,
  id: string,
): Promise<string[] | undefined> {
  const days = sql`SELECT day FROM task_days WHERE project = ${param('String', project)} AND task_id = ${param('String', id)}`;
  const conditions = [
    sql`project = ${param('String', project)}`,
    sql`day IN (${days})`,
    sql`task_id = ${param('String', id)}`,
  ];
  const rows = await query<{ trace_ids: string[] }>(
    store,
    sql`SELECT trace_ids FROM tasks FINAL WHERE ${join(conditions, ' AND ')} LIMIT 1`,
  );
  return rows[0]?.trace_ids;
}

/** A placed span as the API gives it. */
export function toJson({
  span,
  depth,
  self_ms,
  critical,
  critical_ms,
}: Placed<SpanRecord>): object {
  const { trace_id, span_id, parent_id, start, end, record } = span;
  return {
    trace_id,
    span_id,
    parent_id: parent_id === '' ? null : parent_id,
    depth,
    duration_ms: Math.max(0, Number(end - start) / 1e6),
    self_ms,
    critical,
    critical_ms,
    ...Object.fromEntries(
      Object.entries(record).map(([name, value]) => [
        name,
        value === '' ? null : count(name, value),
      ]),
    ),
  };
}

/** 64-bit counts arrive as text. */
function count(name: string, value: unknown): unknown {
  return name.endsWith('_tokens') && value !== null ? Number(value) : value;
}
