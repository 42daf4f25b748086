import { guard } from '../guard.ts';
import { runtime } from '../runtime.ts';
import { readSse } from '../sse.ts';
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

const maxBodyBytes = 16_777_216;

/** The reader for a response: by its content type, or by what was asked for where a server names none. */
export function answerReader(wire: Wire, response: Response, streamAsked: boolean): AnswerReader {
  const type = response.headers.get('content-type') ?? '';
  const streamed = /event-stream/i.test(type) || (streamAsked && !/json/i.test(type));
  return streamed && response.ok ? streamReader(wire) : bodyReader(wire);
}

function streamReader(wire: Wire): AnswerReader {
  const assembler = wire.stream({ maxChars: 2 * runtime().settings.maxContentChars });
  const events = readSse((data) => guard('call.event', () => assembler.push(data), undefined));
  return {
    streamed: true,
    feed: events.feed,
    end: events.end,
    complete: assembler.complete,
    result: assembler.result,
  };
}

function bodyReader(wire: Wire): AnswerReader {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  return {
    streamed: false,
    feed: (bytes) => {
      size += bytes.byteLength;
      if (size > maxBodyBytes) text = '';
      else text += decoder.decode(bytes, { stream: true });
    },
    end: () => undefined,
    complete: () => false,
    result: () => {
      const body = size > maxBodyBytes ? undefined : record(parse(text + decoder.decode()));
      text = '';
      return body && wire.response(body);
    },
  };
}
