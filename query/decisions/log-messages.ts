import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import { type DecisionSpan, spanKey } from './evidence.ts';
import type { TraceRange } from './rows.ts';

type Messages = Pick<
  DecisionSpan,
  'input_messages' | 'output_messages' | 'system_instructions' | 'tool_definitions'
>;

/** How long after its span's start a record with its messages may come. */
const slackSeconds = 86_400;

/** What log records carry of the messages of these traces' spans, by {@link spanKey}, in the order they were told. */
export async function readLogMessages(
  store: Store,
  project: string,
  { traces, first, last }: TraceRange,
): Promise<Map<string, Messages>> {
  const found = new Map<string, Messages>();
  if (traces.length === 0) return found;
  const at = (time: bigint) => sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
  const rows = await query<Messages & { readonly trace_id: string; readonly span_id: string }>(
    store,
    sql`SELECT trace_id, span_id, input_messages, output_messages, system_instructions, tool_definitions
      FROM (
        SELECT * FROM logs
        WHERE project = ${param('String', project)} AND trace_id IN ${param('Array(String)', traces)}
          AND time BETWEEN ${at(first)} AND ${at(last + BigInt(slackSeconds) * 1_000_000_000n)} AND span_id != ''
        ORDER BY ver DESC LIMIT 1 BY trace_id, span_id, event_name, time, hash
      )
      WHERE notEmpty(arrayConcat(input_messages, output_messages, system_instructions, tool_definitions))
      ORDER BY time, hash`,
  );
  for (const { trace_id, span_id, ...row } of rows) {
    const key = spanKey({ trace_id, span_id });
    const known = found.get(key);
    found.set(key, known === undefined ? row : joined(known, row));
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
export function withMessages(span: DecisionSpan, told: Messages | undefined): DecisionSpan {
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
