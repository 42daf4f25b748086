import { failed } from '../guard.ts';
import { readLines } from '../lines.ts';
import { runtime } from '../runtime.ts';
import { readSse } from '../sse.ts';
import { utf8 } from '../utf8.ts';
import { parse, record } from '../wire/json.ts';
import type { ModelResponse, Wire } from '../wire/wire.ts';

/** Understands a response body while it passes by, in bounded memory. */
export interface AnswerReader {
  readonly streamed: boolean;
  readonly feed: (bytes: Uint8Array) => void;
  readonly end: () => void;
  /** Whether the terminal event of a stream was seen. */
  readonly complete: () => boolean;
  readonly result: () => ModelResponse | undefined;
}

/** Beyond it a body is not parsed whole: four megabytes of JSON stop the event loop for tens of milliseconds. */
const maxBodyBytes = 1_048_576;
const tailChars = 4_096;

/** The reader for a response: by its content type, or by what was asked for where a server names none. */
export function answerReader(wire: Wire, response: Response, streamAsked: boolean): AnswerReader {
  const type = response.headers.get('content-type') ?? '';
  const streamed = /event-stream|ndjson/i.test(type) || (streamAsked && !/json/i.test(type));
  return streamed && response.ok ? streamReader(wire) : bodyReader(wire);
}

function streamReader(wire: Wire): AnswerReader {
  const assembler = wire.stream({ maxChars: 2 * runtime().settings.maxContentChars });
  const push = (data: string): void => {
    try {
      assembler.push(data);
    } catch (error) {
      failed('call.event', error);
    }
  };
  const events = wire.framing === 'lines' ? readLines(push) : readSse(push);
  return {
    streamed: true,
    feed: events.feed,
    end: events.end,
    complete: assembler.complete,
    result: assembler.result,
  };
}

function bodyReader(wire: Wire): AnswerReader {
  const limit = wire.maxBodyBytes ?? maxBodyBytes;
  const decoder = utf8();
  let text = '';
  let size = 0;
  return {
    streamed: false,
    feed: (bytes) => {
      size += bytes.byteLength;
      text += decoder.write(bytes);
      // What is too long to parse is long in its middle: usage stands at the end.
      if (size > limit) text = text.slice(-tailChars);
    },
    end: () => undefined,
    complete: () => false,
    result: () => {
      const whole = text + decoder.end();
      text = '';
      const value = size > limit ? fieldsAtEnd(whole) : parse(whole);
      if (Array.isArray(value)) return assembled(wire, value);
      const body = record(value);
      return body && wire.response(body);
    },
  };
}

/** Gemini streams a JSON array where no events were asked for. */
function assembled(wire: Wire, values: readonly unknown[]): ModelResponse {
  const assembler = wire.stream({ maxChars: 2 * runtime().settings.maxContentChars });
  for (const value of values) assembler.push(JSON.stringify(value));
  return assembler.result();
}

/** The last fields of an object whose beginning is gone. */
function fieldsAtEnd(tail: string): unknown {
  for (const match of tail.matchAll(/"(?:model|usage|meta|prompt_eval_count|id)"\s*:/g)) {
    const fields = parse(`{${tail.slice(match.index)}`);
    if (fields !== undefined) return fields;
  }
  return undefined;
}
