import type { Encoding } from '../otlp/decode.ts';
import type { Route } from './paths.ts';

const contentTypes = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;

export function contentTypeOf(encoding: Encoding): string {
  return contentTypes[encoding];
}

/** The reply to full success: an Export…ServiceResponse with nothing set. */
export function fullSuccess(encoding: Encoding): Uint8Array | string {
  return encoding === 'json' ? '{}' : new Uint8Array();
}

const rejectedNames = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
} as const;

/**
 * Export…ServiceResponse, the same field for field for all signals.
 *
 *     1 partial_success  {1 rejected_… int64, 2 error_message string}
 */
export function partialSuccess(
  encoding: Encoding,
  signal: Route['signal'],
  rejected: number,
  message: string,
): Uint8Array | string {
  if (encoding === 'json') {
    // int64 is a string in proto JSON.
    const partial = { [rejectedNames[signal]]: String(rejected), errorMessage: message };
    return JSON.stringify({ partialSuccess: partial });
  }
  const partial = [...varintField(1, rejected), ...textField(2, message)];
  return Uint8Array.from([...varintField(1, partial.length, 2), ...partial]);
}

/**
 * google.rpc.Status.
 *
 *     1 code     int32
 *     2 message  string
 */
export function rpcStatus(encoding: Encoding, code: number, message: string): Uint8Array | string {
  if (encoding === 'json') return JSON.stringify({ code, message });
  return Uint8Array.from([...varintField(1, code), ...textField(2, message)]);
}

/**
 * google.rpc.Status with a google.rpc.RetryInfo, which tells a gRPC client that and when to send again.
 *
 *     1 code     int32
 *     2 message  string
 *     3 details  repeated Any        {1 type_url string, 2 value bytes}
 *                RetryInfo           {1 retry_delay Duration {1 seconds int64}}
 */
export function retryStatus(code: number, message: string, seconds: number): Uint8Array {
  const delay = varintField(1, seconds);
  const retryInfo = bytesField(1, delay);
  const any = [
    ...textField(1, 'type.googleapis.com/google.rpc.RetryInfo'),
    ...bytesField(2, retryInfo),
  ];
  return Uint8Array.from([
    ...varintField(1, code),
    ...textField(2, message),
    ...bytesField(3, any),
  ]);
}

function textField(number: number, text: string): number[] {
  return bytesField(number, [...Buffer.from(text, 'utf8')]);
}

function bytesField(number: number, bytes: readonly number[]): number[] {
  return [...varintField(number, bytes.length, 2), ...bytes];
}

/** A tag and a varint after it: a whole field of wire type 0, or the start of one of wire type 2. */
function varintField(number: number, value: number, wireType: 0 | 2 = 0): number[] {
  const bytes = [(number << 3) | wireType];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
