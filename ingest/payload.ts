import assert from 'node:assert/strict';
import { inflate } from './inflate.ts';
import type { JournalRecord } from './journal/record.ts';
import { decodeLogs, decodeMetrics, decodeTraces, type Encoding } from './otlp/decode.ts';
import type { Decoded, OtlpLog, OtlpPoint, OtlpSpan, Rule } from './otlp/model.ts';
import { countSpans } from './otlp/protobuf/walk.ts';

/** A decoded request of one signal. */
export type Payload =
  | { readonly signal: 'traces'; readonly decoded: Decoded<OtlpSpan> }
  | { readonly signal: 'logs'; readonly decoded: Decoded<OtlpLog> }
  | { readonly signal: 'metrics'; readonly decoded: Decoded<OtlpPoint> };

/** What is known of a request before it is stored. */
export interface Admitted
  extends Pick<Decoded<unknown>, 'items' | 'rejected' | 'rules' | 'reasons'> {
  /** The items themselves; decoded each time they are asked for where the request was only looked through. */
  payload(): Payload;
  /** Bytes after decompression. */
  readonly bytes: number;
}

type Body = Omit<JournalRecord, 'project' | 'receivedAt'>;

/**
 * Says of bytes as received what of them can be stored. Pure: a request replayed from the journal gives what it gave
 * when it came in. Where nothing has to be refused its items are not made yet: until they are written they would only
 * be garbage to be carried around. `keeps` copies the body, whose buffer goes on to the journal's thread.
 *
 * @throws TooLarge, BadRequest
 */
export function admit(body: Body, maxBytes: number, keeps = false): Admitted {
  const { signal, encoding } = body;
  const plain = inflate(body.body, body.compression, maxBytes);
  const bytes = plain.length;
  const spans = signal === 'traces' && encoding === 'protobuf' ? countSpans(plain) : null;
  if (spans === null) {
    const payload = decode(signal, encoding, plain);
    const { items, rejected, rules, reasons } = payload.decoded;
    return { items, rejected, rules, reasons, bytes, payload: () => payload };
  }
  const own = keeps && plain === body.body ? plain.slice() : plain;
  const payload = () => {
    const made = decode(signal, encoding, own);
    const { items, rejected } = made.decoded;
    // Acknowledged as whole: rather set aside than stored with something missing.
    assert(items === spans && rejected === 0, 'a request has other items than it was taken for');
    return made;
  };
  return { ...nothingRefused, items: spans, bytes, payload };
}

const nothingRefused = { rejected: 0, rules: new Map<Rule, number>(), reasons: [] };

function decode(signal: Body['signal'], encoding: Encoding, plain: Uint8Array): Payload {
  switch (signal) {
    case 'traces':
      return { signal, decoded: decodeTraces(plain, encoding) };
    case 'logs':
      return { signal, decoded: decodeLogs(plain, encoding) };
    case 'metrics':
      return { signal, decoded: decodeMetrics(plain, encoding) };
  }
}
