/** Passes on at most `perMinute` problems a minute, then says how many it left out: senders can cause them at will. */
export function limited(
  report: (problem: unknown) => void,
  perMinute: number,
): (problem: unknown) => void {
  let windowStart = Number.NEGATIVE_INFINITY;
  let passed = 0;
  let dropped = 0;
  return (problem) => {
    const now = performance.now();
    if (now - windowStart >= 60_000) {
      if (dropped > 0) report(`${dropped} more problems of the same kind were not reported`);
      windowStart = now;
      passed = 0;
      dropped = 0;
    }
    if (passed >= perMinute) {
      dropped += 1;
      return;
    }
    passed += 1;
    report(problem);
  };
}
