import {
  type Attribution,
  attribute,
  contrastUnit,
  type Delta,
  deltaOf,
  type Group,
  sizeOf,
  valueIn,
} from './contrast.ts';
import type { Judgement } from './judgement.ts';
import { addSums, type ConfigKind, type Sums } from './measures.ts';
import type { Onset } from './onset.ts';
import type { CohortSums, CohortTool, Seen } from './read.ts';
import type { Signal } from './signals.ts';
import { contrastText } from './suspect-text.ts';

/** A configuration value that may have caused a drift, with the evidence for and against. */
export interface Suspect {
  readonly kind: ConfigKind;
  readonly value: string;
  readonly first_seen: string;
  readonly verdict: Attribution;
  readonly deltas: {
    readonly unit: string;
    /** New against old at the same time; null when too few old ones were left. */
    readonly new: Omit<Delta, 'significant'> | null;
    /** Old after against old before. */
    readonly time: Omit<Delta, 'significant'> | null;
  };
  readonly groups: {
    readonly new_after: SuspectGroup;
    readonly old_after: SuspectGroup;
    readonly old_before: SuspectGroup;
  };
  /** Share of the whole change that the new value explains; null when it cannot be told. */
  readonly explained_ratio: number | null;
  /** Other values that came with exactly the same tasks: nothing can tell them apart. */
  readonly confounded_with: readonly { readonly kind: ConfigKind; readonly value: string }[];
  readonly text: string;
}

export interface SuspectGroup {
  readonly tasks: number;
  readonly value: number | null;
}

const HOUR = 3_600_000;
/** A value whose share of tasks rises by this much across the change is a suspect, even if it was seen long before. */
const RAMP = 0.2;
const SUSPECTS_MAX = 10;

interface Candidate {
  readonly kind: ConfigKind;
  readonly value: string;
  readonly firstSeen: number;
  readonly newBefore: Group;
  readonly newAfter: Group;
  readonly oldBefore: Group;
  readonly oldAfter: Group;
}

/** Configuration values of the workflow that run in the current window, the ones worth a contrast. */
export function worthContrast(seen: readonly Seen[], max: number) {
  return seen
    .filter(({ kind, current }) => kind !== 'tool' && current > 0)
    .slice(0, max)
    .map(({ kind, value }) => ({ kind: kind as ConfigKind, value }));
}

/** Suspects of one drifting signal, the most likely first. */
export function suspectsOf(
  signal: Signal,
  judgement: Judgement,
  onset: Onset,
  seen: readonly Seen[],
  cohorts: readonly CohortSums[],
  cohortTools: readonly CohortTool[],
): Suspect[] {
  const candidates = worthContrast(seen, seen.length).flatMap(({ kind, value }) => {
    const own = seen.find((entry) => entry.kind === kind && entry.value === value);
    const groups = groupsOf(kind, value, cohorts, cohortTools);
    return own === undefined ? [] : [{ kind, value, firstSeen: own.first, ...groups }];
  });
  const timely = candidates.filter((candidate) => isTimely(candidate, onset));
  return timely
    .map((candidate) => ({
      rank: rankOf(signal, candidate, onset),
      suspect: toSuspect(signal, judgement, candidate, timely),
    }))
    .sort((a, b) => order(a.suspect) - order(b.suspect) || b.rank - a.rank)
    .slice(0, SUSPECTS_MAX)
    .map(({ suspect }) => suspect);
}

/** Something that a person changes comes before what follows from it. */
const kinds: readonly ConfigKind[] = ['prompt', 'model', 'release', 'agent_version'];
const verdicts: readonly Attribution[] = [
  'cause',
  'mixed',
  'temporal_only',
  'external',
  'inconclusive',
];

function order({ verdict, kind }: Suspect): number {
  return verdicts.indexOf(verdict) * kinds.length + kinds.indexOf(kind);
}

// An hour is mixed when the change fell into it, so that the split may lie one hour late.
function isTimely(
  { firstSeen, newBefore, newAfter, oldBefore, oldAfter }: Candidate,
  onset: Onset,
) {
  if (newAfter.sums.tasks === 0) return false;
  if (firstSeen >= onset.low - HOUR && firstSeen < onset.high) return true;
  const before = newBefore.sums.tasks / Math.max(1, newBefore.sums.tasks + oldBefore.sums.tasks);
  const after = newAfter.sums.tasks / Math.max(1, newAfter.sums.tasks + oldAfter.sums.tasks);
  return after - before >= RAMP;
}

/** Posterior mass at the event × share of the change that it explains. */
function rankOf(signal: Signal, candidate: Candidate, onset: Onset): number {
  const hour = Math.floor(candidate.firstSeen / HOUR) * HOUR;
  const mass = onset.mass(hour, hour + 2 * HOUR);
  const share = explained(signal, candidate);
  const spread = candidate.newAfter.sums.tasks / totalAfter(candidate);
  return Math.max(mass, RAMP) * (share === null ? spread : Math.min(1, Math.max(0, share)));
}

function totalAfter({ newAfter, oldAfter }: Candidate): number {
  return Math.max(1, newAfter.sums.tasks + oldAfter.sums.tasks);
}

/** Share of new tasks × (new − old) over (all after − all before), on the scale of shares or logarithms. */
function explained(signal: Signal, candidate: Candidate): number | null {
  const { newAfter, oldAfter, oldBefore, newBefore } = candidate;
  const scale = contrastUnit(signal) === 'ratio' ? Math.log : (value: number) => value;
  const value = (group: Group) => {
    const own = valueIn(signal, group);
    return own === null ? null : scale(own);
  };
  const fresh = value(newAfter);
  const old = value(sizeOf(signal, oldAfter) > 0 ? oldAfter : oldBefore);
  const after = value(join(newAfter, oldAfter));
  const before = value(join(newBefore, oldBefore));
  if (fresh === null || old === null || after === null || before === null || after === before)
    return null;
  const share =
    sizeOf(signal, newAfter) / Math.max(1, sizeOf(signal, newAfter) + sizeOf(signal, oldAfter));
  const result = (share * (fresh - old)) / (after - before);
  return Number.isFinite(result) ? result : null;
}

function join(a: Group, b: Group): Group {
  return { sums: addSums([a.sums, b.sums]), tools: new Map() };
}

function toSuspect(
  signal: Signal,
  judgement: Judgement,
  candidate: Candidate,
  timely: readonly Candidate[],
): Suspect {
  const { kind, value, newAfter, oldAfter, oldBefore, firstSeen } = candidate;
  const old = sizeOf(signal, oldAfter);
  const deltaNew = along(deltaOf(signal, oldAfter, newAfter), judgement, signal);
  const deltaTime = along(deltaOf(signal, oldBefore, oldAfter), judgement, signal);
  const verdict = attribute(old, deltaNew, deltaTime);
  const told = verdict !== 'temporal_only';
  const confounded = timely
    .filter((other) => other !== candidate && sameTasks(other, candidate))
    .map((other) => ({ kind: other.kind, value: other.value }));
  const group = (of: Group) => ({ tasks: sizeOf(signal, of), value: valueIn(signal, of) });
  const groups = {
    new_after: group(newAfter),
    old_after: group(oldAfter),
    old_before: group(oldBefore),
  };
  return {
    kind,
    value,
    first_seen: new Date(firstSeen).toISOString(),
    verdict,
    deltas: {
      unit: contrastUnit(signal),
      new: told ? figures(deltaNew) : null,
      time: told ? figures(deltaTime) : null,
    },
    groups,
    explained_ratio: explained(signal, candidate),
    confounded_with: confounded,
    text: contrastText(signal, { kind, value, firstSeen, verdict, groups, confounded }),
  };
}

function figures(delta: Delta | null): Omit<Delta, 'significant'> | null {
  return delta === null ? null : { value: delta.value, low: delta.low, high: delta.high };
}

/** A difference against the direction of the drift explains nothing of it. */
function along(delta: Delta | null, { direction }: Judgement, signal: Signal): Delta | null {
  if (delta === null || direction === 'any' || signal.kind === 'mix') return delta;
  const none = contrastUnit(signal) === 'ratio' ? 1 : 0;
  const agrees = direction === 'up' ? delta.value > none : delta.value < none;
  return { ...delta, significant: delta.significant && agrees };
}

function sameTasks(a: Candidate, b: Candidate): boolean {
  return (
    a.firstSeen === b.firstSeen &&
    a.newAfter.sums.tasks === b.newAfter.sums.tasks &&
    a.newBefore.sums.tasks === b.newBefore.sums.tasks
  );
}

function groupsOf(
  kind: ConfigKind,
  value: string,
  cohorts: readonly CohortSums[],
  cohortTools: readonly CohortTool[],
): Pick<Candidate, 'newBefore' | 'newAfter' | 'oldBefore' | 'oldAfter'> {
  const pick = (carries: boolean, after: boolean): Group => {
    const same = (row: CohortSums | CohortTool) =>
      row.kind === kind && row.value === value && row.carries === carries && row.after === after;
    const sums: Sums[] = cohorts.filter(same).map((row) => row.sums);
    return {
      sums: addSums(sums),
      tools: new Map(cohortTools.filter(same).map((row) => [row.tool, row])),
    };
  };
  return {
    newBefore: pick(true, false),
    newAfter: pick(true, true),
    oldBefore: pick(false, false),
    oldAfter: pick(false, true),
  };
}
