import type { Compression, Signal } from './journal/record.ts';
import type { Encoding } from './otlp/decode.ts';

/** A request as it came over the wire, whatever the protocol. */
export interface Arrival {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly compression: Compression;
  readonly project: string;
  /** Still compressed. Belongs to the callee: its buffer may be moved to another thread. */
  readonly body: Uint8Array;
}

/** Why a request was refused as a whole. Sending the same again would be refused again. */
export type Refusal =
  | 'malformed'
  | 'too_large'
  | 'content_type'
  | 'content_encoding'
  | 'unauthorized'
  | 'forbidden'
  | 'method'
  | 'path';

/** What became of a request. */
export type Outcome =
  /** Durable on disk. */
  | { readonly kind: 'accepted' }
  /** Durable, except for some items that can never be stored. */
  | { readonly kind: 'partial'; readonly rejected: number; readonly message: string }
  /** Nothing stored; the sender should send it again. */
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number; readonly message: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly message: string };

/** Takes a request in; resolves once it is durable. The same for every protocol. */
export type Accept = (arrival: Arrival) => Promise<Outcome>;

/** No project for these credentials, with what the client is told. */
export interface Unauthorized {
  readonly unauthorized: string;
  /** The key is known and may not do this. */
  readonly forbidden?: boolean;
}
