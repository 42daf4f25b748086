import { record } from '../wire/json.ts';
import { providerOf, wireFor } from '../wire/registry.ts';
import type { Wire } from '../wire/wire.ts';

/** A model call about to leave through `fetch`. */
export interface Outgoing {
  readonly target: Target;
  /** The request body, or the `Request` that still holds it. */
  readonly body: string | Request;
  /** Which retry of the SDK this is, 0 for the first attempt. */
  readonly resend: number;
}

/** A model API at an address. */
export interface Target {
  readonly wire: Wire;
  /** `gen_ai.provider.name`. */
  readonly provider: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** Recognises a model call by method and path, without touching anything that `fetch` will read. */
export function outgoing(input: unknown, init: unknown): Outgoing | undefined {
  const request = isRequest(input) ? input : undefined;
  const options = record(init);
  const method = options?.['method'] ?? request?.method;
  if (typeof method !== 'string' || method.toUpperCase() !== 'POST') return undefined;
  const address = request?.url ?? (typeof input === 'string' || input instanceof URL ? input : '');
  const target = targetOf(String(address));
  if (!target) return undefined;
  const body = bodyOf(options?.['body'], request);
  if (body === undefined) return undefined;
  const resend = Number(headerOf(options?.['headers'] ?? request?.headers, retryHeader) ?? 0);
  return {
    target,
    body,
    resend: Number.isSafeInteger(resend) && resend > 0 ? resend : 0,
  };
}

/** By what it says it is: servers such as @hono/node-server put another class into the global. */
function isRequest(input: unknown): input is Request {
  return Object.prototype.toString.call(input) === '[object Request]';
}

/** Sent by the SDKs that Stainless generates (OpenAI, Anthropic, Groq, …) on every attempt. */
const retryHeader = 'x-stainless-retry-count';

/** Agents ask few addresses many times. */
const targets = new Map<string, Target>();
const maxTargets = 64;

/** Cheap: every request of the application passes here. */
function targetOf(address: string): Target | undefined {
  const end = address.search(/[?#]/);
  const bare = end < 0 ? address : address.slice(0, end);
  const known = targets.get(bare);
  if (known) return known;
  const wire = wireFor(bare);
  if (!wire) return undefined;
  const { hostname: host, port, protocol, pathname: path } = new URL(bare);
  const provider = providerOf(host, wire);
  const usual = protocol === 'http:' ? 80 : 443;
  const target = { wire, provider, host, path, port: port === '' ? usual : Number(port) };
  if (targets.size >= maxTargets) targets.clear();
  targets.set(bare, target);
  return target;
}

/**
 * The body as text. Blobs, forms and streams can be read only by waiting, or once: such a call is recorded without its
 * request. `undefined` for a `Request` that has no body or gave it away, which `fetch` will refuse or send as it is.
 */
function bodyOf(body: unknown, request: Request | undefined): string | Request | undefined {
  if (typeof body === 'string') return body;
  if (ArrayBuffer.isView(body) || isArrayBuffer(body)) {
    return new TextDecoder().decode(body as Uint8Array);
  }
  if (body !== undefined && body !== null) return '';
  return request && !request.bodyUsed && request.body ? request : undefined;
}

/** Also of another realm, as in test runners. */
function isArrayBuffer(body: unknown): body is ArrayBuffer {
  return Object.prototype.toString.call(body) === '[object ArrayBuffer]';
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const pairs: unknown[] = Array.isArray(headers) ? headers : Object.entries(record(headers) ?? {});
  for (const pair of pairs) {
    if (!Array.isArray(pair)) continue;
    const [key, value] = pair as unknown[];
    if (typeof key === 'string' && key.toLowerCase() === name) return String(value);
  }
  return undefined;
}
