import type { Store } from '../../store/connection.ts';
import { param, query, type Sql, sql } from '../../store/sql.ts';
import { type DecisionLog, type DecisionSpan, spanKey } from './evidence.ts';
import type { TraceRange } from './rows.ts';

type Messages = Pick<
  DecisionSpan,
  'input_messages' | 'output_messages' | 'system_instructions' | 'tool_definitions'
>;

/** A log record with the task id that it carries itself and the messages that it tells of its span. */
export interface StoredLog extends DecisionLog {
  readonly task_id: string;
  readonly task_id_kind: string;
  readonly messages: Messages;
}

type LogJson = Omit<StoredLog, 'time' | 'messages'> &
  Messages & { readonly time_ns: string; readonly hash: string };

/** How long after its span's start a record with its messages may come. */
const slackNs = 86_400_000_000_000n;

/** The log records on these traces that declare something or carry messages, in order of time. */
export function readTraceLogs(
  store: Store,
  project: string,
  { traces, first, last }: TraceRange,
): Promise<StoredLog[]> {
  if (traces.length === 0) return Promise.resolve([]);
  const where = sql`trace_id IN ${param('Array(String)', traces)} AND ${during(first, last + slackNs)}`;
  return readLogs(store, project, where);
}

/** The log records without a trace that name these tasks, between two times (ns). */
export function readLoneLogs(
  store: Store,
  project: string,
  tasks: readonly string[],
  { first, last }: { readonly first: bigint; readonly last: bigint },
): Promise<StoredLog[]> {
  if (tasks.length === 0) return Promise.resolve([]);
  const where = sql`trace_id = '' AND task_id IN ${param('Array(String)', tasks)} AND ${during(first, last)}`;
  return readLogs(store, project, where);
}

function during(first: bigint, last: bigint): Sql {
  const at = (time: bigint) => sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
  return sql`time BETWEEN ${at(first)} AND ${at(last)}`;
}

async function readLogs(store: Store, project: string, where: Sql): Promise<StoredLog[]> {
  const rows = await query<LogJson>(
    store,
    sql`SELECT trace_id, span_id, toUnixTimestamp64Nano(time) AS time_ns, hash, event_name, agent_name, task_id,
        task_id_kind, mapFilter((k, v) -> startsWith(k, 'agent.'), attributes) AS attributes, input_messages,
        output_messages, system_instructions, tool_definitions
      FROM (
        SELECT * FROM logs
        WHERE project = ${param('String', project)} AND ${where}
        ORDER BY ver DESC
        LIMIT 1 BY trace_id, span_id, event_name, time, hash
      )
      WHERE startsWith(event_name, 'agent.')
        OR notEmpty(arrayConcat(input_messages, output_messages, system_instructions, tool_definitions))
      ORDER BY time, hash`,
  );
  return rows.map((row) => ({
    trace_id: row.trace_id,
    span_id: row.span_id,
    time: BigInt(row.time_ns),
    event_name: row.event_name,
    agent_name: row.agent_name,
    attributes: row.attributes,
    task_id: row.task_id,
    task_id_kind: row.task_id_kind,
    messages: {
      input_messages: row.input_messages,
      output_messages: row.output_messages,
      system_instructions: row.system_instructions,
      tool_definitions: row.tool_definitions,
    },
  }));
}

/** What log records carry of the messages of their spans, by {@link spanKey}, in the order they were told. */
export function messagesOf(logs: readonly StoredLog[]): Map<string, Messages> {
  const found = new Map<string, Messages>();
  for (const log of logs) {
    if (log.span_id === '' || Object.values(log.messages).every((list) => list.length === 0))
      continue;
    const key = spanKey(log);
    const known = found.get(key);
    found.set(key, known === undefined ? log.messages : joined(known, log.messages));
  }
  return found;
}

function joined(a: Messages, b: Messages): Messages {
  return {
    input_messages: [...a.input_messages, ...b.input_messages],
    output_messages: [...a.output_messages, ...b.output_messages],
    system_instructions: first(a.system_instructions, b.system_instructions),
    tool_definitions: first(a.tool_definitions, b.tool_definitions),
  };
}

/** The span with what it does not say itself taken from its log records. */
export function withMessages<Span extends DecisionSpan>(
  span: Span,
  told: Messages | undefined,
): Span {
  if (told === undefined) return span;
  return {
    ...span,
    input_messages: first(span.input_messages, told.input_messages),
    output_messages: first(span.output_messages, told.output_messages),
    system_instructions: first(span.system_instructions, told.system_instructions),
    tool_definitions: first(span.tool_definitions, told.tool_definitions),
  };
}

function first<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return a.length > 0 ? a : b;
}
