import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';

/** Derives the tasks of what was rewritten while more is read. */
export interface Derivation {
  /** Resolves when so little waits that more may be written; `spans` are how many were rewritten of each trace. */
  add(spans: ReadonlyMap<string, number>, tasks?: Iterable<string>): Promise<void>;
  finish(): Promise<void>;
}

/** Derived together, whichever comes first: every statement has its price, and what is read of spans is in memory. */
const mostTraces = 4_096;
const mostSpans = 40_000;
/** A trace of more spans waits for the end: it would be derived whole for every part of it. */
const manySpans = 5_000;

export function deriveBehind(store: Store, project: string): Derivation {
  const deriver = createDeriver(store, { size: mostTraces });
  const traces = new Map<string, number>();
  const tasks = new Set<string>();
  let spans = 0;
  let running: Promise<void> = Promise.resolve();

  async function start(last: boolean): Promise<void> {
    await running;
    const due = [...traces].filter(([, n]) => last || n <= manySpans).map(([trace]) => trace);
    const touched = { project, traces: due, tasks: [...tasks] };
    for (const trace of due) traces.delete(trace);
    tasks.clear();
    spans = 0;
    running = deriver.derive([touched]);
    running.catch(() => {});
  }

  return {
    async add(more, named = []) {
      for (const [trace, n] of more) {
        traces.set(trace, (traces.get(trace) ?? 0) + n);
        spans += n;
      }
      for (const task of named) tasks.add(task);
      if (traces.size + tasks.size >= mostTraces || spans >= mostSpans) await start(false);
    },
    async finish() {
      await start(true);
      await running;
    },
  };
}
