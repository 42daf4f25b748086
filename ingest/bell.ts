/** Wakes the one who waits for it. */
export interface Bell {
  ring(): void;
  /** Resolves when it rings next. */
  heard(): Promise<void>;
}

export function createBell(): Bell {
  let wake: (() => void) | undefined;
  return {
    ring: () => wake?.(),
    heard: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
  };
}
