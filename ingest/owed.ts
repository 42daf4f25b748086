import type { Touched } from '../store/derive/deriver.ts';

/** Ids by the journal position from which on they are underived. */
interface Ids {
  readonly traces: Map<string, number>;
  readonly tasks: Map<string, number>;
}

/** Traces and tasks that have to be derived, and since where in the journal. */
export interface Owed {
  /** Traces and tasks. */
  readonly size: number;
  /** The earliest position from which on something is underived; Infinity when nothing is. */
  readonly from: number;
  touched(): Touched[];
  add(touched: Touched, from: number): void;
  /** Takes these out, with the positions they had, as far as they are there. */
  take(touched: Touched): Owed;
  /** Takes over everything of another. */
  merge(other: Owed): void;
  each(): Iterable<{ readonly touched: Touched; readonly from: number }>;
}

export function createOwed(): Owed {
  const projects = new Map<string, Ids>();

  function idsOf(project: string): Ids {
    const ids = projects.get(project) ?? { traces: new Map(), tasks: new Map() };
    projects.set(project, ids);
    return ids;
  }

  const owed: Owed = {
    get size() {
      let size = 0;
      for (const { traces, tasks } of projects.values()) size += traces.size + tasks.size;
      return size;
    },
    get from() {
      let first = Number.POSITIVE_INFINITY;
      for (const { traces, tasks } of projects.values()) {
        for (const from of traces.values()) first = Math.min(first, from);
        for (const from of tasks.values()) first = Math.min(first, from);
      }
      return first;
    },
    touched: () =>
      [...projects].map(([project, { traces, tasks }]) => ({
        project,
        traces: [...traces.keys()],
        tasks: [...tasks.keys()],
      })),
    add({ project, traces, tasks }, from) {
      const ids = idsOf(project);
      for (const trace of traces) keepFirst(ids.traces, trace, from);
      for (const task of tasks) keepFirst(ids.tasks, task, from);
    },
    take({ project, traces, tasks }) {
      const taken = createOwed();
      const ids = idsOf(project);
      for (const trace of traces) {
        const from = ids.traces.get(trace);
        if (from !== undefined) taken.add({ project, traces: [trace], tasks: [] }, from);
        ids.traces.delete(trace);
      }
      for (const task of tasks) {
        const from = ids.tasks.get(task);
        if (from !== undefined) taken.add({ project, traces: [], tasks: [task] }, from);
        ids.tasks.delete(task);
      }
      if (ids.traces.size + ids.tasks.size === 0) projects.delete(project);
      return taken;
    },
    merge(other) {
      for (const { touched, from } of other.each()) owed.add(touched, from);
    },
    *each() {
      for (const [project, { traces, tasks }] of projects) {
        for (const [trace, from] of traces) {
          yield { touched: { project, traces: [trace], tasks: [] }, from };
        }
        for (const [task, from] of tasks) {
          yield { touched: { project, traces: [], tasks: [task] }, from };
        }
      }
    },
  };
  return owed;
}

function keepFirst(ids: Map<string, number>, id: string, from: number): void {
  const known = ids.get(id);
  if (known === undefined || from < known) ids.set(id, from);
}
