import type { Store } from '../../store/connection.ts';
import { param, query, type Sql, sql } from '../../store/sql.ts';
import { attributeKeys, type DecisionSpan } from './evidence.ts';

/** Traces and the start times (ns) between which their spans lie, both included. */
export interface TraceRange {
  readonly traces: readonly string[];
  readonly first: bigint;
  readonly last: bigint;
}

const plain = sql`trace_id, span_id, parent_id, name, kind, operation, status, provider, request_model, response_model,
  response_id, previous_response_id, ttft_ms, finish_reason, error_type, error_message, agent_name, request_hash,
  tool_name, tool_call_id, tool_type, tool_effect, tool_risk, tool_error_by, tool_arguments_hash, tool_result_hash, tool_result_shape,
  tool_side_effect_key, handoff_from, handoff_to, input_messages, output_messages, system_instructions,
  tool_definitions, tool_arguments, tool_result`;

type Counts =
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'reasoning_tokens';
type Flags = 'tool_arguments_valid' | 'tool_result_valid';

type SpanJson = Omit<
  DecisionSpan,
  'start' | 'end' | 'events' | 'tool_polling' | 'tool_result_bytes' | Counts | Flags
> & { readonly [K in Counts | 'tool_result_bytes']: string | null } & {
  readonly [K in Flags]: number | null;
} & {
  readonly start_ns: string;
  readonly end_ns: string;
  readonly tool_polling: number;
  readonly told: readonly (readonly [string, string, Record<string, string>])[];
};

/** The spans of these traces, each in its newest version. */
export async function readSpans(
  store: Store,
  project: string,
  range: TraceRange,
): Promise<DecisionSpan[]> {
  if (range.traces.length === 0) return [];
  const rows = await query<SpanJson>(
    store,
    sql`SELECT ${plain}, toString(toUnixTimestamp64Nano(start)) AS start_ns,
        toString(toUnixTimestamp64Nano(end)) AS end_ns, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, reasoning_tokens, tool_polling, tool_arguments_valid, tool_result_bytes, tool_result_valid,
        mapFilter((k, v) -> has(${param('Array(String)', attributeKeys)}, k), attributes) AS attributes,
        arrayMap(
          e -> (toString(toUnixTimestamp64Nano(e.1)), e.2, e.3),
          arrayFilter(e -> startsWith(e.2, 'agent.'), arrayZip(events.time, events.name, events.attributes))
        ) AS told
      FROM spans
      WHERE project = ${param('String', project)}
        AND trace_id IN ${param('Array(String)', range.traces)}
        AND spans.start BETWEEN ${at(range.first)} AND ${at(range.last)}
      ORDER BY ver DESC
      LIMIT 1 BY trace_id, span_id`,
  );
  return rows.map(toSpan);
}

function at(time: bigint): Sql {
  return sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
}

function toSpan({ start_ns, end_ns, told, ...row }: SpanJson): DecisionSpan {
  return {
    ...row,
    start: BigInt(start_ns),
    end: BigInt(end_ns),
    input_tokens: count(row.input_tokens),
    output_tokens: count(row.output_tokens),
    cache_read_tokens: count(row.cache_read_tokens),
    cache_write_tokens: count(row.cache_write_tokens),
    reasoning_tokens: count(row.reasoning_tokens),
    tool_result_bytes: count(row.tool_result_bytes),
    tool_polling: row.tool_polling === 1,
    tool_arguments_valid: flag(row.tool_arguments_valid),
    tool_result_valid: flag(row.tool_result_valid),
    events: told.map(([time, name, attributes]) => ({ time: BigInt(time), name, attributes })),
  };
}

function count(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function flag(value: number | null): boolean | null {
  return value === null ? null : value === 1;
}

/** The payload of these traces by hash. */
export async function readContent(
  store: Store,
  project: string,
  range: TraceRange,
): Promise<Map<string, string>> {
  if (range.traces.length === 0) return new Map();
  // Payload lies under the UTC day on which its span started, or the log record that carried it.
  const day = (time: bigint) => param('Date', new Date(Number(time / 1_000_000n)));
  const rows = await query<{ hash: string; content: string }>(
    store,
    sql`SELECT toString(hash) AS hash, content
      FROM messages
      WHERE project = ${param('String', project)}
        AND day BETWEEN ${day(range.first)} AND ${day(range.last + 86_400_000_000_000n)}
        AND trace_id IN ${param('Array(String)', range.traces)}
      LIMIT 1 BY messages.hash`,
  );
  return new Map(rows.map(({ hash, content }) => [hash, content]));
}
