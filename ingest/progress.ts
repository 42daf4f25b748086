/** How far the journal's requests have come, and who waits for them. */
export interface Progress {
  /** Position behind everything stored and derived, or set aside. */
  readonly position: number;
  /** Somebody waits: batches should not. */
  readonly isAwaited: boolean;
  reached(position: number): Promise<void>;
  moveTo(position: number): void;
}

export function createProgress(start: number): Progress {
  let position = start;
  let waiting: { readonly position: number; readonly resolve: () => void }[] = [];
  return {
    get position() {
      return position;
    },
    get isAwaited() {
      return waiting.length > 0;
    },
    reached(target) {
      if (target <= position) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ position: target, resolve }));
    },
    moveTo(next) {
      position = next;
      const arrived = waiting.filter((one) => one.position <= position);
      waiting = waiting.filter((one) => one.position > position);
      for (const { resolve } of arrived) resolve();
    },
  };
}
