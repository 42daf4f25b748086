import type { Normaliser } from '../ingest/normalise/normaliser.ts';
import { type Remapped, remap } from '../ingest/remap/remap.ts';
import type { Work } from '../query/maintenance/jobs.ts';
import type { Store } from '../store/connection.ts';
import { rebuild } from '../store/derive/rebuild.ts';

const hour = 3_600_000_000_000n;

/** The maintenance that a running Plumbline can do. */
export function maintenance(
  store: Store,
  normaliser: Normaliser,
): Readonly<Record<'remap' | 'rebuild', Work>> {
  return {
    async remap(project, from, to, onProgress, signal) {
      let total = 0;
      const told = (at: Remapped & { readonly total: number }) => {
        total = at.total;
        onProgress({ done: at.spans + at.logs + at.points + at.skipped, total });
      };
      const options = { store, normaliser, signal, onProgress: told };
      const done = await remap(options, project, from, to);
      // Counted were rows, of which several may be versions of one span.
      onProgress({ done: total, total });
      return { ...done };
    },
    async rebuild(project, from, to, onProgress, signal) {
      const total = Math.ceil(Number(to - from) / Number(hour));
      const sum = { traces: 0, tasks: 0 };
      for (let done = 0; done < total; done++) {
        signal.throwIfAborted();
        const start = from + BigInt(done) * hour;
        const end = start + hour < to ? start + hour : to;
        const part = await rebuild(store, project, start, end);
        sum.traces += part.traces;
        sum.tasks += part.tasks;
        onProgress({ done: done + 1, total });
      }
      return sum;
    },
  };
}
