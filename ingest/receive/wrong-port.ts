import { type Counters, count } from '../counters.ts';

/** Hears what the parsers of both ports could not read. */
export interface WrongPort {
  onHttpError(error: unknown): void;
  onGrpcError(error: unknown): void;
}

/**
 * Tells of senders that speak gRPC to the port of HTTP or the other way round, the commonest wrong endpoint of all: what
 * they see is a broken connection, and what they log of it does not say why.
 */
export function createWrongPort(counters: Counters, report: (problem: unknown) => void): WrongPort {
  const tell = (spoken: string, port: string) => {
    count(counters.requests, 'wrong_port');
    report(
      `a sender of OTLP over ${spoken} came to the port of ${port}: set its endpoint to the other port`,
    );
  };
  return {
    onHttpError(error) {
      if (codeOf(error) === 'HPE_PAUSED_H2_UPGRADE') tell('gRPC', 'HTTP');
    },
    onGrpcError(error) {
      // NGHTTP2_ERR_BAD_CLIENT_MAGIC
      if (codeOf(error) === 'ERR_HTTP2_ERROR' && errnoOf(error) === -903) tell('HTTP', 'gRPC');
    },
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'errno' in error ? error.errno : undefined;
}
