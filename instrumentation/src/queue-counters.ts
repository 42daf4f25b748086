/** What became of what was recorded. Nothing is lost without being counted in one of these. */
export interface QueueCounters {
  /** Spans lost because the export queue was full. */
  droppedSpans: number;
  /** Spans sent without content because too much content was waiting. */
  strippedSpans: number;
  /** Spans that the receiver refused, or did not take in time. */
  unsentSpans: number;
  /** Spans left out by `sampleRatio`. */
  sampledOutSpans: number;
  /** Log records lost because the export queue was full. */
  droppedLogs: number;
  /** Log records that the receiver refused, or did not take in time. */
  unsentLogs: number;
}

export function newCounters(): QueueCounters {
  return {
    droppedSpans: 0,
    strippedSpans: 0,
    unsentSpans: 0,
    sampledOutSpans: 0,
    droppedLogs: 0,
    unsentLogs: 0,
  };
}

interface Exporter<Item, Result extends { readonly code: number }> {
  export(items: Item[], done: (result: Result) => void): void;
}

/**
 * The exporter's `export`, telling once for each batch whether it was taken. One that never answers counts as refused after
 * `patienceMs`, so that what it holds does not count as waiting for ever.
 */
export function watched<Item, Result extends { readonly code: number }>(
  exporter: Exporter<Item, Result>,
  patienceMs: number,
  settled: (items: readonly Item[], taken: boolean) => void,
): Exporter<Item, Result>['export'] {
  return (items, done) => {
    let open = true;
    const settle = (taken: boolean): void => {
      if (!open) return;
      open = false;
      clearTimeout(patience);
      settled(items, taken);
    };
    const patience = setTimeout(() => settle(false), patienceMs);
    patience.unref();
    try {
      exporter.export(items, (result) => {
        settle(result.code === 0);
        done(result);
      });
    } catch (error) {
      settle(false);
      throw error;
    }
  };
}
