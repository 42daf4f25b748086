import type { Known } from './backgrounds.ts';
import type { Learnt, Names } from './learn.ts';

// Profiles tell of days before the task's own and change only when a late row of such a day is learnt; windows change
// when a model is first seen. So an answer is as of at most this long ago.
const keptMs = 10_000;

// Projects, and projects with a day, that are remembered.
const maxKept = 64;

/** {@link Known} kept in memory for ten seconds: for single tasks, which are asked for one after the other. */
export function keptKnown(fresh: Known): Known {
  const windows = createKept<ReadonlyMap<string, number>>();
  const learnt = createKept<Learnt & { readonly names: Names }>();
  return {
    windows: async (project) =>
      windows.get(project) ?? windows.put(project, await fresh.windows(project)),
    learnt: async (project, day, names) => {
      const key = `${day} ${project}`;
      const missing = without(names, learnt.get(key)?.names);
      if (missing === null) return learnt.get(key) ?? nothing;
      const read = { ...(await fresh.learnt(project, day, missing)), names: missing };
      const known = learnt.get(key);
      return learnt.put(key, known === undefined ? read : merged(known, read));
    },
  };
}

const nothing: Learnt = { shapes: new Map(), cost: new Map(), calls: new Map() };

/** The names that were not asked for yet; null when all were. */
function without(names: Names, asked: Names | undefined): Names | null {
  const tools = names.tools.filter((name) => !asked?.tools.includes(name));
  const workflows = names.workflows.filter((name) => !asked?.workflows.includes(name));
  return asked !== undefined && tools.length + workflows.length === 0 ? null : { tools, workflows };
}

function merged(
  a: Learnt & { readonly names: Names },
  b: Learnt & { readonly names: Names },
): Learnt & { readonly names: Names } {
  return {
    shapes: new Map([...a.shapes, ...b.shapes]),
    cost: new Map([...a.cost, ...b.cost]),
    calls: new Map([...a.calls, ...b.calls]),
    names: {
      tools: [...a.names.tools, ...b.names.tools],
      workflows: [...a.names.workflows, ...b.names.workflows],
    },
  };
}

/** Values by key until {@link keptMs} after the first was put; the oldest goes when there are too many. */
function createKept<Value>() {
  const values = new Map<string, { readonly value: Value; readonly until: number }>();
  function get(key: string): Value | undefined {
    const known = values.get(key);
    return known === undefined || known.until < performance.now() ? undefined : known.value;
  }
  function put(key: string, value: Value): Value {
    const until = values.get(key)?.until ?? 0;
    const now = performance.now();
    values.delete(key);
    values.set(key, { value, until: until < now ? now + keptMs : until });
    const [oldest] = values.keys();
    if (values.size > maxKept && oldest !== undefined) values.delete(oldest);
    return value;
  }
  return { get, put };
}
