import type { Signal } from '../journal/record.ts';
import type { Outcome, Refusal } from '../outcome.ts';
import { partialSuccess, retryStatus } from './reply.ts';

/** What a unary call is answered with; `message` counts only with status 0. */
export interface GrpcAnswer {
  readonly message: Uint8Array;
  readonly trailers: Readonly<Record<string, string>>;
}

/** google.rpc.Code, as far as it is used here. */
export const grpcCodes = {
  ok: 0,
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/**
 * None of these is sent again by clients; RESOURCE_EXHAUSTED would be with a RetryInfo, which it does not get.
 */
const refusals: Readonly<Record<Refusal, number>> = {
  malformed: grpcCodes.invalidArgument,
  unauthorized: grpcCodes.unauthenticated,
  forbidden: grpcCodes.permissionDenied,
  too_large: grpcCodes.resourceExhausted,
  content_type: grpcCodes.invalidArgument,
  content_encoding: grpcCodes.unimplemented,
  method: grpcCodes.unimplemented,
  path: grpcCodes.unimplemented,
};

const nothing = new Uint8Array();

/** The only place that knows which gRPC answer an outcome is. */
export function answerOf(outcome: Outcome, signal: Signal): GrpcAnswer {
  switch (outcome.kind) {
    case 'accepted':
      return { message: nothing, trailers: { 'grpc-status': String(grpcCodes.ok) } };
    case 'partial': {
      const message = partialSuccess('protobuf', signal, outcome.rejected, outcome.message);
      return {
        message: typeof message === 'string' ? nothing : message,
        trailers: { 'grpc-status': String(grpcCodes.ok) },
      };
    }
    case 'busy': {
      const status = retryStatus(grpcCodes.unavailable, outcome.message, outcome.retryAfterSeconds);
      const details = Buffer.from(status).toString('base64').replace(/=+$/, '');
      return failure(grpcCodes.unavailable, outcome.message, {
        'grpc-status-details-bin': details,
      });
    }
    case 'refused':
      return failure(refusals[outcome.refusal], outcome.message);
  }
}

function failure(
  code: number,
  message: string,
  more: Readonly<Record<string, string>> = {},
): GrpcAnswer {
  const trailers = {
    'grpc-status': String(code),
    'grpc-message': percentEncoded(message),
    ...more,
  };
  return { message: nothing, trailers };
}

/** Status messages are printable ASCII, everything else as percent-encoded UTF-8. */
function percentEncoded(message: string): string {
  let text = '';
  for (const byte of Buffer.from(message.slice(0, 1024), 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
