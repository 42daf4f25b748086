import { inflate } from './inflate.ts';
import type { JournalRecord } from './journal/record.ts';
import { decodeLogs, decodeMetrics, decodeTraces } from './otlp/decode.ts';
import type { Decoded, OtlpLog, OtlpPoint, OtlpSpan } from './otlp/model.ts';

/** A decoded request of one signal. */
export type Payload =
  | { readonly signal: 'traces'; readonly decoded: Decoded<OtlpSpan> }
  | { readonly signal: 'logs'; readonly decoded: Decoded<OtlpLog> }
  | { readonly signal: 'metrics'; readonly decoded: Decoded<OtlpPoint> };

export interface Unpacked {
  readonly payload: Payload;
  /** Bytes after decompression. */
  readonly bytes: number;
}

/**
 * From bytes as received to items. Pure: a request replayed from the journal gives what it gave when it came in.
 *
 * @throws TooLarge, BadRequest
 */
export function unpack(
  { signal, encoding, compression, body }: Omit<JournalRecord, 'project' | 'receivedAt'>,
  maxBytes: number,
): Unpacked {
  const plain = inflate(body, compression, maxBytes);
  const bytes = plain.length;
  switch (signal) {
    case 'traces':
      return { payload: { signal, decoded: decodeTraces(plain, encoding) }, bytes };
    case 'logs':
      return { payload: { signal, decoded: decodeLogs(plain, encoding) }, bytes };
    case 'metrics':
      return { payload: { signal, decoded: decodeMetrics(plain, encoding) }, bytes };
  }
}
