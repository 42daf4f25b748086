import type { Encoding } from '../otlp/decode.ts';
import type { Outcome, Refusal } from '../outcome.ts';
import type { Route } from './paths.ts';
import { contentTypeOf, fullSuccess, partialSuccess, rpcStatus } from './reply.ts';

/**
 * HTTP status and google.rpc code of each refusal. Clients send again on 429, 502, 503 and 504 only, so none of these
 * may be one of them.
 */
const refusals: Readonly<Record<Refusal, readonly [status: number, code: number]>> = {
  malformed: [400, 3],
  unauthorized: [401, 16],
  forbidden: [403, 7],
  path: [404, 5],
  method: [405, 12],
  too_large: [413, 8],
  content_type: [415, 3],
  content_encoding: [415, 3],
};

/** The only place that knows which HTTP answer an outcome is. */
export function respond(outcome: Outcome, encoding: Encoding, signal: Route['signal']): Response {
  switch (outcome.kind) {
    case 'accepted':
      return answer(200, encoding, fullSuccess(encoding));
    case 'partial': {
      const { rejected, message } = outcome;
      return answer(200, encoding, partialSuccess(encoding, signal, rejected, message));
    }
    case 'busy':
      return answer(503, encoding, rpcStatus(encoding, 14, outcome.message), {
        'retry-after': String(outcome.retryAfterSeconds),
      });
    case 'refused': {
      const [status, code] = refusals[outcome.refusal];
      return answer(status, encoding, rpcStatus(encoding, code, outcome.message), {
        ...(outcome.refusal === 'method' && { allow: 'POST' }),
        ...(outcome.refusal === 'unauthorized' && { 'www-authenticate': 'Bearer' }),
      });
    }
  }
}

function answer(
  status: number,
  encoding: Encoding,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  // A copy into an own buffer satisfies BodyInit's type; replies are short.
  const content = typeof body === 'string' ? body : new Uint8Array(body);
  return new Response(content, {
    status,
    headers: { 'content-type': contentTypeOf(encoding), ...headers },
  });
}
