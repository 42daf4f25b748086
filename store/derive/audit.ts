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
import { contentHash } from './content-hash.ts';
import { type Derivation, deriveSlice, slices, writeSlice } from './slice.ts';

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
 * stored: the number that shows whether the derivation keeps its promise in production. A wrong row is set right; one
 * that is as it should be is not written again, because a new version of it would be judged again too.
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
  /** What this audit has seen since `audited`: when the newest item of each trace or lone task came. */
  const seen = new Map<string, bigint>();

  async function recent(): Promise<Audited> {
    if (isBehind()) return { ...nothing, skipped: 'behind' };
    const until = (await readClock(store)) - settle;
    const from = until - window;
    const inserted = await readInserted(store, audited > from ? audited : from, until, maxTraces);
    let total = nothing;
    const fresh = inserted.filter((one) => seen.get(keyOf(one)) !== one.newest);
    for (const slice of dueSlices(fresh)) {
      const due = await selectDue(store, slice, settle);
      total = add(total, await compare(options, due, until));
      for (const one of slice) seen.set(keyOf(one), one.newest);
    }
    const last = inserted.at(-1);
    // Everything seen: look again at the last minutes next time, for inserts that were under way.
    audited = inserted.length < maxTraces || last === undefined ? until - LATE_US : last.newest;
    for (const [key, newest] of seen) if (newest <= audited) seen.delete(key);
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

function keyOf({ project, trace, tasks }: Inserted): string {
  return JSON.stringify([project, trace, ...(trace === '' ? tasks : [])]);
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
  const stored = await readStored(store, project, [...derivation.candidates]);
  const candidates = unlike(derivation, stored);
  const wrong = candidates.size === 0 ? [] : await setRight(store, { ...derivation, candidates });
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
    tasks: derivation.candidates.size,
    mismatches: mismatches.length,
    skipped: null,
  };
}

/** Tasks whose rows, as they are stored, are not what was derived of them. */
function unlike({ candidates, rows, ver }: Derivation, stored: readonly StoredTask[]): Set<string> {
  const wrong = new Set<string>();
  const found = new Set<string>();
  for (const { task, day, ver: newest, hash } of stored) {
    const row = rows.get(task);
    const isItsDay = row !== undefined && day === dateOf(row.day);
    if (isItsDay) found.add(task);
    // What was derived later knows better.
    if (newest < ver && hash !== (isItsDay ? contentHash(row) : 0n)) wrong.add(task);
  }
  for (const task of rows.keys()) if (candidates.has(task) && !found.has(task)) wrong.add(task);
  return wrong;
}

function dateOf(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/** Writes what was derived of its candidates; returns those of which another row was stored. */
async function setRight(store: Store, derivation: Derivation): Promise<string[]> {
  const { project, candidates, ver } = derivation;
  const before = await readStored(store, project, [...candidates]);
  await writeSlice(store, derivation);
  const after = await readStored(store, project, [...candidates]);
  return differing(before, after, ver);
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
