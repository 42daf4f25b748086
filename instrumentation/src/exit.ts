const patienceMs = 2_000;
const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Flushes when the process is about to end: when it has nothing more to do, and on SIGTERM and SIGINT. A signal that the
 * application does not handle itself still ends the process as it would have. Returns what takes the handlers out again.
 */
export function flushOnExit(flush: () => Promise<void>): () => void {
  let flushed = false;
  const patient = async (): Promise<void> => {
    if (flushed) return;
    flushed = true;
    await Promise.race([flush(), wait(patienceMs)]);
  };
  const beforeExit = (): void => {
    // The loop was empty: what keeps it alive from here on is our own export, and a receiver that is gone would be retried
    // for ten seconds. Others that hook the same event may be at work too, and are left to finish.
    const alone = process.listenerCount('beforeExit') === 1;
    const first = !flushed;
    void patient().then(() => {
      if (first && alone) process.exit();
    });
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const alone = process.listenerCount(signal) === 1;
    void patient().then(() => {
      if (!alone) return;
      stop();
      process.kill(process.pid, signal);
    });
  };
  const stop = (): void => {
    process.off('beforeExit', beforeExit);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.on('beforeExit', beforeExit);
  for (const signal of signals) process.on(signal, onSignal);
  return stop;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
