import type { Budget } from '../budget.ts';
import type { Compression } from '../journal/record.ts';
import type { Encoding } from '../otlp/decode.ts';

/** Undefined when it is neither of OTLP's two; parameters such as charset are ignored. */
export function encodingOf(contentType: string | null): Encoding | undefined {
  switch (contentType?.split(';', 1)[0]?.trim().toLowerCase()) {
    case 'application/x-protobuf':
      return 'protobuf';
    case 'application/json':
      return 'json';
    default:
      return undefined;
  }
}

const compressions: ReadonlyMap<string, Compression> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['zstd', 'zstd'],
]);
const unchanged: ReadonlySet<string> = new Set(['', 'identity', 'none']);

/** Undefined when we cannot undo it. A list (RFC 9110 §8.4) may name one compression; proxies add `identity`. */
export function compressionOf(contentEncoding: string | null): Compression | undefined {
  const list = (contentEncoding ?? '').toLowerCase().split(',');
  const codings = list.map((one) => one.trim()).filter((one) => !unchanged.has(one));
  const [only] = codings;
  if (only === undefined) return 'none';
  return codings.length === 1 ? compressions.get(only) : undefined;
}

/** `bytes` has its length taken from the budget; whoever reads gives it back. */
export type Body =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'no_memory' }
  | { readonly kind: 'aborted' };

/**
 * Reads the body as sent, at most `maxBytes`, holding never more than the budget allows. One that is not wanted is
 * discarded first, see {@link discardBody}.
 */
export async function readBody(request: Request, maxBytes: number, budget: Budget): Promise<Body> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  if (declared > maxBytes) return unwanted('too_large', request);
  if (!(declared >= 0 && declared <= promised)) return readChunks(request, maxBytes, budget);
  if (!budget.take(declared)) return unwanted('no_memory', request);
  try {
    const bytes = new Uint8Array(await request.arrayBuffer());
    // The HTTP parser holds a body to its declared length; this is for callers without one.
    if (bytes.length === declared) return { kind: 'read', bytes };
    budget.give(declared);
    return { kind: 'aborted' };
  } catch {
    budget.give(declared);
    return { kind: 'aborted' };
  }
}

/**
 * A body up to this size has its memory promised from the start. A larger one only gets it as it comes: three slow
 * senders that announce the most a body may have would otherwise keep everybody else out.
 */
const promised = 256 * 1024;

/** Beyond this a connection is rather given up. Twice what a body may have: whoever is over it mostly is by little. */
const maxDiscarded = 128 * 1024 * 1024;

/**
 * Reads a body that nobody wants, and keeps none of it. Answered before its sender is through, a request leaves the
 * connection unusable: the next request on it, which may be anybody's behind a proxy, would be cut off, and a sender
 * that looks for the answer only after its last byte (Python's) would see a broken connection instead of the refusal.
 */
export async function discardBody(request: Request): Promise<void> {
  const reader = request.body?.getReader();
  if (reader !== undefined) await discardRest(reader);
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function discardRest(reader: Reader): Promise<void> {
  for (let length = 0; length <= maxDiscarded; ) {
    const chunk = await reader.read().catch(() => undefined);
    if (chunk === undefined || chunk.done) return;
    length += chunk.value.length;
  }
  // Not awaited: the sender may take its time to notice.
  reader.cancel().catch(() => undefined);
}

async function unwanted<Kind extends 'too_large' | 'no_memory'>(kind: Kind, request: Request) {
  await discardBody(request);
  return { kind };
}

async function readChunks(request: Request, maxBytes: number, budget: Budget): Promise<Body> {
  if (request.body === null) return { kind: 'read', bytes: new Uint8Array() };
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stop = async (kind: 'too_large' | 'no_memory' | 'aborted'): Promise<Body> => {
    budget.give(length);
    chunks.length = 0;
    if (kind !== 'aborted') await discardRest(reader);
    return { kind };
  };
  for (;;) {
    const chunk = await reader.read().catch(() => undefined);
    if (chunk === undefined) return stop('aborted');
    if (chunk.done) break;
    if (length + chunk.value.length > maxBytes) return stop('too_large');
    if (!budget.take(chunk.value.length)) return stop('no_memory');
    length += chunk.value.length;
    chunks.push(chunk.value);
  }
  return { kind: 'read', bytes: joined(chunks, length) };
}

/** The chunks in a buffer of their own, which the journal's thread may take over. */
export function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
