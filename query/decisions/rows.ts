import type { Store } from '../../store/connection.ts';
import { type Columns, param, queryColumns, type Sql, sql } from '../../store/sql.ts';
import { attributeKeys, type DecisionSpan } from './evidence.ts';

/** Traces and the start times (ns) between which their spans lie, both included. */
export interface TraceRange {
  readonly traces: readonly string[];
  readonly first: bigint;
  readonly last: bigint;
}

/** A span with the key by which two tasks are told to be the same unit of work; '' for none. */
export type StoredSpan = DecisionSpan & { readonly task_idempotency_key: string };

type Counts =
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'reasoning_tokens'
  | 'tool_result_bytes';
type Flags = 'tool_arguments_valid' | 'tool_result_valid';

type SpanColumns = Omit<
  StoredSpan,
  'start' | 'end' | 'events' | 'tool_polling' | Counts | Flags
> & {
  readonly [K in Counts]: string | null;
} & { readonly [K in Flags]: number | null } & {
  readonly ver: string;
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
): Promise<StoredSpan[]> {
  if (range.traces.length === 0) return [];
  const { rows, of } = await queryColumns<SpanColumns>(
    store,
    sql`SELECT ver, trace_id, span_id, parent_id, name, kind, operation, status, provider, request_model,
        response_model, response_id, previous_response_id, ttft_ms, finish_reason, error_type, error_message,
        agent_name, request_hash, task_idempotency_key, tool_name, tool_call_id, tool_type, tool_effect, tool_risk,
        tool_error_by, tool_arguments_hash, tool_result_hash, tool_result_shape, tool_side_effect_key, handoff_from,
        handoff_to, input_messages, output_messages, system_instructions, tool_definitions, tool_arguments,
        tool_result, toUnixTimestamp64Nano(start) AS start_ns, toUnixTimestamp64Nano(end) AS end_ns, input_tokens,
        output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, tool_polling, tool_arguments_valid,
        tool_result_bytes, tool_result_valid,
        if(kind IN ('retriever', 'reranker', 'memory', 'plan'),
          arrayMap(k -> payload[k], arraySort(arrayFilter(
            k -> match(k, '(?i)documents?|records?|outputs?|response|results?|completion')
              AND NOT match(k, '(?i)quer(y|ies)|input|prompt|messages|\\.(id|score|metadata)$'),
            mapKeys(payload)))),
          []) AS outputs,
        mapFilter((k, v) -> k IN ${param('Array(String)', attributeKeys)}, attributes) AS attributes,
        arrayMap(
          e -> (toUnixTimestamp64Nano(e.1), e.2, e.3),
          arrayFilter(e -> startsWith(e.2, 'agent.'), arrayZip(events.time, events.name, events.attributes))
        ) AS told
      FROM spans
      WHERE project = ${param('String', project)}
        AND trace_id IN ${param('Array(String)', range.traces)}
        AND spans.start BETWEEN ${at(range.first)} AND ${at(range.last)}`,
  );
  const newest = new Map<string, number>();
  for (let i = 0; i < rows; i++) {
    const key = `${of.trace_id[i]} ${of.span_id[i]}`;
    const known = newest.get(key);
    if (known === undefined || BigInt(of.ver[i] ?? 0) > BigInt(of.ver[known] ?? 0))
      newest.set(key, i);
  }
  return Array.from(newest.values(), (i) => spanAt(of, i));
}

function at(time: bigint): Sql {
  return sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
}

const none: readonly never[] = [];

/** Written out, so that all spans have one shape: what reads them is compiled for it. */
function spanAt(of: Columns<SpanColumns>['of'], i: number): StoredSpan {
  const told = of.told[i] ?? none;
  return {
    trace_id: of.trace_id[i] ?? '',
    span_id: of.span_id[i] ?? '',
    parent_id: of.parent_id[i] ?? '',
    start: BigInt(of.start_ns[i] ?? 0),
    end: BigInt(of.end_ns[i] ?? 0),
    name: of.name[i] ?? '',
    kind: of.kind[i] ?? '',
    operation: of.operation[i] ?? '',
    status: of.status[i] ?? '',
    provider: of.provider[i] ?? '',
    request_model: of.request_model[i] ?? '',
    response_model: of.response_model[i] ?? '',
    response_id: of.response_id[i] ?? '',
    previous_response_id: of.previous_response_id[i] ?? '',
    input_tokens: count(of.input_tokens[i]),
    output_tokens: count(of.output_tokens[i]),
    cache_read_tokens: count(of.cache_read_tokens[i]),
    cache_write_tokens: count(of.cache_write_tokens[i]),
    reasoning_tokens: count(of.reasoning_tokens[i]),
    ttft_ms: of.ttft_ms[i] ?? null,
    finish_reason: of.finish_reason[i] ?? '',
    error_type: of.error_type[i] ?? '',
    error_message: of.error_message[i] ?? '',
    agent_name: of.agent_name[i] ?? '',
    request_hash: of.request_hash[i] ?? '',
    task_idempotency_key: of.task_idempotency_key[i] ?? '',
    tool_name: of.tool_name[i] ?? '',
    tool_call_id: of.tool_call_id[i] ?? '',
    tool_type: of.tool_type[i] ?? '',
    tool_effect: of.tool_effect[i] ?? '',
    tool_risk: of.tool_risk[i] ?? '',
    tool_polling: of.tool_polling[i] === 1,
    tool_error_by: of.tool_error_by[i] ?? '',
    tool_arguments_hash: of.tool_arguments_hash[i] ?? '',
    tool_arguments_valid: flag(of.tool_arguments_valid[i]),
    tool_result_hash: of.tool_result_hash[i] ?? '',
    tool_result_shape: of.tool_result_shape[i] ?? '',
    tool_result_bytes: count(of.tool_result_bytes[i]),
    tool_result_valid: flag(of.tool_result_valid[i]),
    tool_side_effect_key: of.tool_side_effect_key[i] ?? '',
    handoff_from: of.handoff_from[i] ?? '',
    handoff_to: of.handoff_to[i] ?? '',
    input_messages: of.input_messages[i] ?? none,
    output_messages: of.output_messages[i] ?? none,
    system_instructions: of.system_instructions[i] ?? none,
    tool_definitions: of.tool_definitions[i] ?? none,
    tool_arguments: of.tool_arguments[i] ?? none,
    tool_result: of.tool_result[i] ?? none,
    outputs: of.outputs[i] ?? none,
    events:
      told.length === 0
        ? none
        : told.map(([time, name, attributes]) => ({ time: BigInt(time), name, attributes })),
    attributes: of.attributes[i] ?? {},
  };
}

function count(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text);
}

function flag(value: number | null | undefined): boolean | null {
  return value === null || value === undefined ? null : value === 1;
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
  const { rows, of } = await queryColumns<{ hash: string; content: string }>(
    store,
    sql`SELECT hash, content
      FROM messages
      WHERE project = ${param('String', project)}
        AND day BETWEEN ${day(range.first)} AND ${day(range.last + 86_400_000_000_000n)}
        AND trace_id IN ${param('Array(String)', range.traces)}`,
  );
  const content = new Map<string, string>();
  for (let i = 0; i < rows; i++) content.set(of.hash[i] ?? '', of.content[i] ?? '');
  return content;
}
