/** What the journal's thread is started with. */
export interface WorkerOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly maxBytes: number;
  readonly keepMs: number;
}

/** To the thread. */
export type Order =
  | {
      readonly kind: 'append';
      readonly id: number;
      readonly header: Uint8Array;
      readonly body: Uint8Array;
    }
  | { readonly kind: 'checkpoint'; readonly position: number }
  | { readonly kind: 'close' };

/** From the thread. `bases` are the positions at which the segments on disk begin. */
export type Report =
  | {
      readonly kind: 'opened';
      readonly end: number;
      readonly checkpoint: number;
      readonly tornBytes: number;
      readonly bases: readonly number[];
    }
  /** On disk: the records `ids`, one behind the other, the last one ending at `end`. */
  | {
      readonly kind: 'stored';
      readonly ids: readonly number[];
      readonly end: number;
      readonly bases: readonly number[];
    }
  /** Not on disk and not in the journal; `code` is the system's, such as ENOSPC. */
  | { readonly kind: 'failed'; readonly ids: readonly number[]; readonly code: string }
  | { readonly kind: 'segments'; readonly bases: readonly number[] }
  | { readonly kind: 'closed' };
