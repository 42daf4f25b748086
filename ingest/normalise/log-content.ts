import type { Attribute, OtlpLog } from '../otlp/model.ts';
import type { TracePayload } from './blobs.ts';
import type { Plan } from './compile.ts';
import type { ReadContent } from './content.ts';
import { scalarFields } from './fields.ts';
import { eventPieces, type Piece } from './resolve.ts';
import { readComposite } from './restore.ts';
import { isList } from './values.ts';

/** What a log record carries of its span's messages, as hashes. */
export interface LogContent {
  readonly input_messages: readonly bigint[];
  readonly output_messages: readonly bigint[];
  readonly system_instructions: readonly bigint[];
  readonly tool_definitions: readonly bigint[];
}

export const noLogContent: LogContent = {
  input_messages: [],
  output_messages: [],
  system_instructions: [],
  tool_definitions: [],
};

/**
 * Reads the content of a record by the rules for a span event of its name: OpenTelemetry moved these between the two
 * forms. In a record, what the event says may stand in the body.
 */
export function readLogContent(
  plan: Plan,
  log: OtlpLog,
  name: string,
  readContent: ReadContent,
  payload: () => TracePayload,
): LogContent {
  if (log.spanId === '' || plan.event(name).size === 0) return noLogContent;
  const attributes = [...log.attributes, ...bodyOf(log)];
  const found: Piece[] = [];
  eventPieces(plan, [{ time: log.time, name, attributes }], found);
  const pieces = found
    .filter(({ source }) => source.field >= scalarFields.length)
    .sort((a, b) => a.source.order - b.source.order);
  if (pieces.length === 0) return noLogContent;
  const { input, output, system, tools } = readContent(pieces, attributes, payload());
  return {
    input_messages: input,
    output_messages: output,
    system_instructions: system,
    tool_definitions: tools,
  };
}

/** The members of a body that is an object, also where it came as JSON text. */
function bodyOf({ body }: OtlpLog): readonly Attribute[] {
  const value = typeof body === 'string' && body.startsWith('{') ? readJson(body) : body;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return isList(value) ? [] : value.entries;
}

function readJson(text: string) {
  try {
    return readComposite(text);
  } catch (error) {
    // No JSON after all, or nested beyond the stack: it stays the record's text.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}
