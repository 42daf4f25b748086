import type { Touched } from '../deriver.ts';
import type { Weighed } from '../pace.ts';

/** What the thread knows of the store; the engine itself belongs to the process's main thread. */
export interface Home {
  readonly embedded: boolean;
  readonly tmp: string;
}

/** A statement that the thread has the main thread run: `query` is answered as text, `exec` as bytes. */
export interface Statement {
  readonly how: 'query' | 'command' | 'exec';
  readonly query: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly format?: 'JSONEachRow' | undefined;
  /** What `exec` sends beside the text. */
  readonly values?: readonly Uint8Array[];
}

/** Tasks of a project that were derived together, and how long that took. */
export interface Note {
  readonly project: string;
  readonly rows: readonly Weighed[];
  readonly ms: number;
}

export type ToThread =
  | { readonly kind: 'derive'; readonly touched: readonly Touched[] }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: string | Uint8Array }
  | { readonly kind: 'refused'; readonly id: number };

export type FromThread =
  | { readonly kind: 'ask'; readonly id: number; readonly statement: Statement }
  | { readonly kind: 'derived'; readonly notes: readonly Note[] }
  /** `statement` is the one that was refused, if that is why. */
  | { readonly kind: 'failed'; readonly reason: string; readonly statement: number | null };
