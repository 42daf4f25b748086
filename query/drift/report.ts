import type { Store } from '../../store/connection.ts';
import type { Bin } from '../statistics/histogram.ts';
import { kitagawa } from '../statistics/kitagawa.ts';
import { benjaminiHochberg } from '../statistics/multiplicity.ts';
import { type DriftEvent, eventsOf } from './events.ts';
import { type Evidence, judge, type Verdict, verdictOf } from './judge.ts';
import type { ToolUse } from './judge-mix.ts';
import type { Judgement } from './judgement.ts';
import { addSums, type Sums } from './measures.ts';
import { onsetOf } from './onset.ts';
import {
  type Bucket,
  type CohortSums,
  type Frequency,
  readBuckets,
  readCohorts,
  readCohortTools,
  readFrequencies,
  readSeen,
  readToolHours,
  readTools,
  type Seen,
  type Side,
  type ToolCount,
} from './read.ts';
import { type Signal, signals } from './signals.ts';
import { type Suspect, suspectsOf, worthContrast } from './suspects.ts';
import type { DriftScope, Plan, Range } from './windows.ts';

/** One signal of one workflow: what changed, how sure that is, since when and because of what. */
export interface SignalReport extends Omit<Judgement, 'direction'> {
  readonly signal: string;
  readonly workflow: string | null;
  readonly verdict: Verdict;
  /** Benjamini–Hochberg over all signals of all workflows of this answer. */
  readonly q: number | null;
  readonly began_at: string | null;
  readonly began_at_low: string | null;
  readonly began_at_high: string | null;
  readonly suspects: readonly Suspect[];
}

export interface DriftReport {
  readonly signals: readonly SignalReport[];
  readonly events: readonly DriftEvent[];
  readonly windows: readonly WindowReport[];
  readonly composition: Composition | null;
}

export interface WindowReport {
  readonly workflow: string | null;
  readonly reference: WindowTasks;
  readonly current: WindowTasks;
}

interface WindowTasks {
  readonly from: string;
  readonly to: string;
  readonly tasks: number;
}

/** Change of the success rate over all workflows: what the mix of workflows did, and what the workflows did. */
export interface Composition {
  readonly signal: 'success_rate';
  readonly change_percentage_points: number;
  readonly mix_percentage_points: number;
  readonly rate_percentage_points: number;
  readonly workflows: readonly {
    readonly workflow: string | null;
    readonly mix_percentage_points: number;
    readonly rate_percentage_points: number;
  }[];
}

/** Signals beyond these are reported without a search for their cause. */
const EXPLAINED_MAX = 20;
const CONTRAST_VALUES = 50;
const CONTRAST_AROUND = 3 * 86_400_000;

interface Judged {
  readonly plan: Plan;
  readonly signal: Signal;
  readonly judgement: Judgement;
}

/** Compares the planned windows of every workflow. */
export async function driftReport(
  store: Store,
  scope: DriftScope,
  plans: readonly Plan[],
): Promise<DriftReport> {
  if (plans.length === 0) return { signals: [], events: [], windows: [], composition: null };
  const buckets = await readBuckets(store, scope, plans);
  const tools = await readTools(store, scope, plans);
  const frequencies = await readFrequencies(store, scope, plans);
  const seen = await readSeen(store, scope, plans);
  const sums = new Map(plans.map((plan) => [plan, sumsOf(plan, buckets)]));
  const judged = plans.flatMap((plan) => {
    const evidence = evidenceOf(plan, buckets, tools, frequencies);
    return signals.map((signal) => ({ plan, signal, judgement: judge(signal, evidence) }));
  });
  const reports = await explainAll(store, scope, judged, buckets, seen);
  const of = (plan: Plan) => sums.get(plan) ?? sumsOf(plan, []);
  return {
    signals: reports,
    events: plans.flatMap((plan) =>
      eventsOf(
        seen.filter(({ workflow }) => workflow === plan.workflow),
        { reference: of(plan).reference.tasks, current: of(plan).current.tasks },
      ),
    ),
    windows: plans.map((plan) => windowReport(plan, of(plan))),
    composition: compositionOf(plans.map((plan) => ({ plan, ...of(plan) }))),
  };
}

function sumsOf({ workflow }: Plan, buckets: readonly Bucket[]) {
  const side = (side: Side) =>
    addSums(
      buckets
        .filter((row) => row.workflow === workflow && row.side === side)
        .map((row) => row.sums),
    );
  return { reference: side('reference'), current: side('current') };
}

function evidenceOf(
  plan: Plan,
  buckets: readonly Bucket[],
  tools: readonly ToolCount[],
  frequencies: readonly Frequency[],
): Evidence {
  const { workflow } = plan;
  const bins = (quantity: Frequency['quantity']): Bin[] =>
    frequencies
      .filter((row) => row.workflow === workflow && row.quantity === quantity)
      .map(({ value, reference, current }) => ({ value, from: reference, to: current }));
  return {
    ...sumsOf(plan, buckets),
    tools: toolUses(tools.filter((row) => row.workflow === workflow)),
    duration: bins('duration'),
    steps: bins('steps'),
  };
}

function toolUses(rows: readonly ToolCount[]): ToolUse[] {
  const none = { count: 0, countSquares: 0, countTimesTotal: 0 };
  const names = [...new Set(rows.map(({ tool }) => tool))];
  const find = (tool: string, side: Side) =>
    rows.find((row) => row.tool === tool && row.group === side) ?? none;
  return names.map((name) => ({
    name,
    from: find(name, 'reference'),
    to: find(name, 'current'),
  }));
}

async function explainAll(
  store: Store,
  scope: DriftScope,
  judged: readonly Judged[],
  buckets: readonly Bucket[],
  seen: readonly Seen[],
): Promise<SignalReport[]> {
  const qs = benjaminiHochberg(judged.map(({ judgement }) => judgement.p));
  const reports: SignalReport[] = [];
  const known = new Map<string, readonly CohortSums[]>();
  const ranked = judged
    .map((entry, i) => ({ ...entry, q: qs[i] ?? null }))
    .map((entry) => ({ ...entry, verdict: verdictOf(entry.signal, entry.judgement, entry.q) }))
    .sort((a, b) => severity(a.verdict) - severity(b.verdict) || (a.q ?? 1) - (b.q ?? 1));
  for (const [i, entry] of ranked.entries()) {
    const flagged = entry.verdict === 'drift' || entry.verdict === 'warn';
    const found =
      flagged && i < EXPLAINED_MAX
        ? await explain(store, scope, entry, buckets, seen, known)
        : unexplained;
    const { direction: _, ...judgement } = entry.judgement;
    reports.push({
      signal: entry.signal.signal,
      workflow: entry.plan.workflow === '' ? null : entry.plan.workflow,
      verdict: entry.verdict,
      q: entry.q,
      ...judgement,
      ...found,
    });
  }
  return reports;
}

const unexplained = {
  began_at: null,
  began_at_low: null,
  began_at_high: null,
  suspects: [],
} as const;

function severity(verdict: Verdict): number {
  return ['drift', 'warn', 'stable', 'insufficient_data'].indexOf(verdict);
}

async function explain(
  store: Store,
  scope: DriftScope,
  { plan, signal, judgement }: Judged,
  allBuckets: readonly Bucket[],
  allSeen: readonly Seen[],
  known: Map<string, readonly CohortSums[]>,
): Promise<Pick<SignalReport, keyof typeof unexplained>> {
  const buckets = allBuckets.filter(({ workflow }) => workflow === plan.workflow);
  const seen = allSeen.filter(({ workflow }) => workflow === plan.workflow);
  const toolHours = signal.kind === 'mix' ? await readToolHours(store, scope, plan) : [];
  const onset = onsetOf(signal, judgement, buckets, toolHours);
  if (onset === null) return unexplained;
  const values = worthContrast(seen, CONTRAST_VALUES);
  const contrast = { plan, at: onset.at, around: CONTRAST_AROUND, values };
  // Signals that changed together are explained by the same tasks.
  const key = JSON.stringify([plan.workflow, onset.at]);
  const cohorts =
    known.get(key) ?? (values.length > 0 ? await readCohorts(store, scope, contrast) : []);
  known.set(key, cohorts);
  const cohortTools =
    values.length > 0 && signal.kind === 'mix' ? await readCohortTools(store, scope, contrast) : [];
  return {
    began_at: new Date(onset.at).toISOString(),
    began_at_low: new Date(onset.low).toISOString(),
    began_at_high: new Date(onset.high).toISOString(),
    suspects: suspectsOf(signal, judgement, onset, seen, cohorts, cohortTools),
  };
}

function windowReport(
  { workflow, reference, current }: Plan,
  sums: { readonly reference: Sums; readonly current: Sums },
): WindowReport {
  const of = ({ from, to }: Range, { tasks }: Sums) => ({
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    tasks,
  });
  return {
    workflow: workflow === '' ? null : workflow,
    reference: of(reference, sums.reference),
    current: of(current, sums.current),
  };
}

/** Windows differ in length by workflow, so tasks weigh per day. */
function compositionOf(
  parts: readonly { readonly plan: Plan; readonly reference: Sums; readonly current: Sums }[],
): Composition | null {
  if (parts.length < 2) return null;
  const perDay = ({ decided, successes }: Sums, { from, to }: Range) => {
    const days = (to - from) / 86_400_000;
    return { hits: successes / days, n: decided / days };
  };
  const split = kitagawa(
    parts.map(({ plan, reference, current }) => ({
      name: plan.workflow,
      from: perDay(reference, plan.reference),
      to: perDay(current, plan.current),
    })),
  );
  if (split === null) return null;
  return {
    signal: 'success_rate',
    change_percentage_points: split.change * 100,
    mix_percentage_points: split.mix * 100,
    rate_percentage_points: split.rate * 100,
    workflows: split.groups.map(({ name, mix, rate }) => ({
      workflow: name === '' ? null : name,
      mix_percentage_points: mix * 100,
      rate_percentage_points: rate * 100,
    })),
  };
}
