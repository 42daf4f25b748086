/** A bound in bytes on what is in memory at once. */
export interface Budget {
  readonly used: number;
  /** False, and nothing taken, when it would go over the bound. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createBudget(maxBytes: number): Budget {
  let used = 0;
  return {
    get used() {
      return used;
    },
    take(bytes) {
      // One request may use all of it: a bound below the largest request would refuse that one for ever.
      if (used > 0 && used + bytes > maxBytes) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
}
