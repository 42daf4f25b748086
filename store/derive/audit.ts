import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../connection.ts';
import {
  type Inserted,
  readBegun,
  readClock,
  readExtent,
  readInserted,
  readMoving,
  readStored,
  type StoredTask,
} from './audit-reads.ts';
import { deriveSlice, slices, writeSlice } from './slice.ts';

export interface AuditOptions {
  readonly store: Store;
  /** Gets each mismatch, as text for a person. */
  readonly report: (problem: string) => void;
  /** True while derivations lag: rows are late then, not wrong, and the engine has enough to do. */
  readonly isBehind?: () => boolean;
  /** What was inserted this long ago must be derived. Default 60 s. */
  readonly settleMs?: number;
  /** How far back the first audit looks. Default one hour. */
  readonly windowMs?: number;
  /** Traces per audit; the rest is for the next one. Default 50,000. */
  readonly maxTraces?: number;
}

/** What one audit did. */
export interface Audited {
  readonly traces: number;
  readonly tasks: number;
  readonly mismatches: number;
  /** Why nothing was audited. */
  readonly skipped: 'behind' | null;
}

/**
 * Derives tasks a second time, well after their last item came, and counts where that gives another row than the one
 * stored: the number that shows whether the derivation keeps its promise in production. A wrong row is set right.
 */
export interface Audit {
  /** What was inserted since the last call (at first: in the last hour), and has settled. */
  recent(): Promise<Audited>;
  /** Every trace that is still there, a slice at a time with pauses. Stops early when `signal` aborts. */
  all(signal?: AbortSignal): Promise<Audited>;
}

// An insert takes its time of insertion at its start; it may be seen this much later.
const LATE_US = 300_000_000n;

export function createAudit(options: AuditOptions): Audit {
  const { store, isBehind = () => false, maxTraces = 50_000 } = options;
  const settle = BigInt(options.settleMs ?? 60_000) * 1000n;
  const window = BigInt(options.windowMs ?? 3_600_000) * 1000n;
  let audited = 0n;

  async function recent(): Promise<Audited> {
    if (isBehind()) return { ...nothing, skipped: 'behind' };
    const until = (await readClock(store)) - settle;
    const from = until - window;
    const inserted = await readInserted(store, audited > from ? audited : from, until, maxTraces);
    let total = nothing;
    for (const slice of dueSlices(inserted)) {
      const due = await selectDue(store, slice, settle);
      total = add(total, await compare(options, due, until));
    }
    const last = inserted.at(-1);
    // Everything seen: look again at the last minutes next time, for inserts that were under way.
    audited = inserted.length < maxTraces || last === undefined ? until - LATE_US : last.newest;
    return total;
  }

  async function all(signal?: AbortSignal): Promise<Audited> {
    let total = nothing;
    for (const { project, first, last } of await readExtent(store)) {
      for (let day = first; day <= last; day++) {
        const { traces, tasks } = await readBegun(store, project, day);
        const parts = [
          ...[...slices(traces)].map((part) => ({ project, traces: part, tasks: [] })),
          ...[...slices(tasks)].map((part) => ({ project, traces: [], tasks: part })),
        ];
        for (const part of parts) {
          while (isBehind() && !signal?.aborted) await sleep(1000);
          if (signal?.aborted) return total;
          const start = performance.now();
          const until = (await readClock(store)) - settle;
          total = add(total, await compare(options, part, until));
          // As much time for everybody else.
          await sleep(performance.now() - start);
        }
      }
    }
    return total;
  }

  return { recent, all };
}

const nothing: Audited = { traces: 0, tasks: 0, mismatches: 0, skipped: null };

function add(a: Audited, b: Audited): Audited {
  return {
    traces: a.traces + b.traces,
    tasks: a.tasks + b.tasks,
    mismatches: a.mismatches + b.mismatches,
    skipped: null,
  };
}

interface Due {
  readonly project: string;
  readonly traces: readonly string[];
  readonly tasks: readonly string[];
}

/** Slices of one project each. */
function* dueSlices(inserted: readonly Inserted[]): Generator<readonly Inserted[]> {
  const projects = new Map<string, Inserted[]>();
  for (const one of inserted) {
    const list = projects.get(one.project);
    if (list === undefined) projects.set(one.project, [one]);
    else list.push(one);
  }
  for (const list of projects.values()) yield* slices(list);
}

/** Leaves out what was derived, by whomever, after it had settled. */
async function selectDue(
  store: Store,
  slice: readonly Inserted[],
  settle: bigint,
): Promise<Due | null> {
  const [first] = slice;
  if (first === undefined) return null;
  const idsOf = ({ trace, tasks }: Inserted) => (trace === '' ? tasks : [...tasks, trace]);
  const newestRow = new Map<string, bigint>();
  for (const { task, ver } of await readStored(store, first.project, slice.flatMap(idsOf))) {
    const known = newestRow.get(task);
    if (known === undefined || ver > known) newestRow.set(task, ver);
  }
  const isDue = (one: Inserted) => {
    const versions = idsOf(one).flatMap((id) => newestRow.get(id) ?? []);
    return versions.length === 0 || versions.some((ver) => ver < one.newest + settle);
  };
  const due = slice.filter(isDue);
  return {
    project: first.project,
    traces: due.flatMap(({ trace }) => (trace === '' ? [] : [trace])),
    tasks: due.flatMap(({ trace, tasks }) => (trace === '' ? tasks : [])),
  };
}

async function compare(
  { store, report }: AuditOptions,
  due: Due | null,
  until: bigint,
): Promise<Audited> {
  if (due === null || due.traces.length + due.tasks.length === 0) return nothing;
  const { project } = due;
  const derivation = await deriveSlice(store, project, due.traces, due.tasks);
  const candidates = [...derivation.candidates];
  const before = await readStored(store, project, candidates);
  await writeSlice(store, derivation);
  const after = await readStored(store, project, candidates);
  const wrong = differing(before, after, derivation.ver);
  const moving =
    wrong.length === 0 ? new Set<string>() : await readMoving(store, project, wrong, until);
  const mismatches = wrong.filter((task) => !moving.has(task));
  for (const task of mismatches.slice(0, 5)) {
    report(
      `audit: the row of task ${JSON.stringify(task)} was not what its telemetry says; it is now`,
    );
  }
  const { traces } = due;
  return {
    traces: traces.length,
    tasks: candidates.length,
    mismatches: mismatches.length,
    skipped: null,
  };
}

/** Tasks whose row, written with version `ver`, differs from the one before, or that vanished or appeared. */
function differing(
  before: readonly StoredTask[],
  after: readonly StoredTask[],
  ver: bigint,
): string[] {
  const key = ({ task, day }: StoredTask) => JSON.stringify([task, day]);
  const hashes = new Map(before.map((row) => [key(row), row.hash]));
  const wrong = new Set<string>();
  // A version that is not ours was written meanwhile, by a derivation of newer data.
  for (const row of after) {
    if (row.ver === ver && row.hash !== (hashes.get(key(row)) ?? 0n)) wrong.add(row.task);
  }
  return [...wrong];
}
