/** How long others may have to wait for the event loop: acks go out in between. */
const turnMs = 10;

/** A computation that yields wherever it may be interrupted. */
export type Turns<T> = Generator<undefined, T>;

/** Does all of it at once. */
export function atOnce<T>(work: Turns<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Does all of it, and lets others have a turn every 10 ms. */
export async function inTurns<T>(work: Turns<T>): Promise<T> {
  let end = performance.now() + turnMs;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < end) continue;
    await new Promise((resolve) => setImmediate(resolve));
    end = performance.now() + turnMs;
  }
}
