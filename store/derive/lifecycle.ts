import type { ApprovalSignal, StateSignal } from './signals.ts';
import { compareText, compareTime } from './trace.ts';

/** A declared change of state; `applied` is false when the rules do not allow it from the state before. */
export interface Transition {
  readonly at: bigint;
  readonly state: string;
  readonly reason: string;
  readonly applied: boolean;
}

/** What the signals of a task say about its life. Times are nanoseconds since 1970. */
export interface Lifecycle {
  /** The state after the last applied transition, `''` when nothing was declared. */
  readonly state: string;
  readonly transitions: readonly Transition[];
  /** When the terminal state was entered; null while it is not in one. */
  readonly endedAt: bigint | null;
  /** When it last began or went on, null when nothing says so. */
  readonly runningSince: bigint | null;
  readonly waitingSince: bigint | null;
  readonly humanWaitMs: number;
  readonly queuedMs: number;
  /** Starts of the attempts after the first. */
  readonly retries: readonly bigint[];
  readonly reopened: number;
  /** Why it failed, when that is how it ended. */
  readonly failure: string;
}

// BEHAVIOUR §1.5, in its order: of several transitions at one time the first allowed one comes first.
const NEXT: Readonly<Record<string, readonly string[]>> = {
  '': ['queued', 'running'],
  queued: ['running', 'cancelled'],
  running: ['waiting_for_approval', 'done', 'failed', 'cancelled'],
  waiting_for_approval: ['running', 'failed', 'cancelled'],
  failed: ['queued', 'running'],
  done: ['running'],
  cancelled: ['running'],
};
const RANK = Object.keys(NEXT);
const STATUSES: readonly string[] = ['requested', 'approved', 'denied', 'expired'];
const TERMINAL: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

interface Signal extends StateSignal {
  /** Follows from an approval: it holds only where the task itself is silent, and is dropped where it does not fit. */
  readonly implied: boolean;
}

/**
 * Runs the transition rules over all signals of a task, in whatever order they arrived. `begun` is the start of its
 * first span: a task with spans runs from then on even when the record that says so is missing.
 */
export function lifecycle(
  states: readonly StateSignal[],
  approvals: readonly ApprovalSignal[],
  begun: bigint | null,
): Lifecycle {
  const declared = distinct(states);
  const signals = [...declared, ...implied(declared, approvals)];
  const machine = new Machine();
  for (const group of byTime(signals)) machine.enter(group, begun);
  return machine.result();
}

function distinct(states: readonly StateSignal[]): Signal[] {
  const signals = new Map<string, Signal>();
  for (const { at, state, reason } of states) {
    const key = `${at} ${state}`;
    const known = signals.get(key)?.reason ?? '';
    const kept = known === '' || (reason !== '' && reason < known) ? reason : known;
    signals.set(key, { at, state, reason: kept, implied: false });
  }
  return [...signals.values()];
}

function implied(declared: readonly Signal[], approvals: readonly ApprovalSignal[]): Signal[] {
  const saysWaiting = declared.some(({ state }) => state === 'waiting_for_approval');
  const silentAfter = (at: bigint) => declared.every((signal) => signal.at <= at);
  const open = new Set<string>();
  const signals: Signal[] = [];
  const ordered = [...approvals].sort(
    (a, b) => compareTime(a.at, b.at) || order(a) - order(b) || compareText(a.id, b.id),
  );
  for (const { at, id, status } of ordered) {
    if (!STATUSES.includes(status)) continue;
    const reason = `approval ${status}`;
    const refused = status === 'denied' || status === 'expired';
    if (status === 'requested') open.add(id);
    else open.delete(id);
    if (refused && silentAfter(at)) signals.push({ at, state: 'failed', reason, implied: true });
    else if (saysWaiting || (status !== 'requested' && open.size > 0)) continue;
    else {
      const state = status === 'requested' ? 'waiting_for_approval' : 'running';
      signals.push({ at, state, reason, implied: true });
    }
  }
  return signals;
}

function order({ status }: ApprovalSignal): number {
  return STATUSES.indexOf(status);
}

function byTime(signals: readonly Signal[]): Signal[][] {
  const ordered = [...signals].sort(
    (a, b) =>
      compareTime(a.at, b.at) ||
      Number(a.implied) - Number(b.implied) ||
      rank(a.state) - rank(b.state) ||
      compareText(a.state, b.state) ||
      compareText(a.reason, b.reason),
  );
  const groups: Signal[][] = [];
  for (const signal of ordered) {
    const last = groups.at(-1);
    if (last?.[0]?.at === signal.at) last.push(signal);
    else groups.push([signal]);
  }
  return groups;
}

function rank(state: string): number {
  const at = RANK.indexOf(state);
  return at < 0 ? RANK.length : at;
}

class Machine {
  private state = '';
  private since = 0n;
  private byApproval = false;
  private running: bigint | null = null;
  private reopened = 0;
  private failure = '';
  private readonly spent = { waiting_for_approval: 0n, queued: 0n };
  private readonly retries: bigint[] = [];
  private readonly transitions: Transition[] = [];

  /** Takes the signals of one time: each time the first that is allowed, then the rest as not applied. */
  enter(group: readonly Signal[], begun: bigint | null): void {
    const left = [...group];
    const at = group[0]?.at ?? 0n;
    const opens = left.some(({ state }) => state === 'queued' || state === 'running');
    if (this.state === '' && !opens && begun !== null && begun <= at) this.begin(begun);
    for (;;) {
      const next = this.pick(left);
      if (next === undefined) break;
      left.splice(left.indexOf(next), 1);
      this.apply(next);
    }
    for (const { state, reason, implied: quiet } of left) {
      if (!quiet) this.transitions.push({ at, state, reason, applied: false });
    }
  }

  private begin(at: bigint): void {
    this.state = 'running';
    this.since = at;
    this.running = at;
  }

  private pick(left: readonly Signal[]): Signal | undefined {
    let best: Signal | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    for (const signal of left) {
      const position = this.position(signal);
      if (position < bestRank) {
        best = signal;
        bestRank = position;
      }
    }
    return best;
  }

  /** Place of the transition among those allowed now, infinite when it is not. Declared ones go before implied ones. */
  private position(signal: Signal): number {
    const penalty = signal.implied ? RANK.length : 0;
    if (this.byApproval && !signal.implied && signal.state === this.state) return 0;
    const ended = this.state === 'done' || this.state === 'cancelled';
    if (ended && signal.at <= this.since) return Number.POSITIVE_INFINITY;
    let at = (NEXT[this.state] ?? []).indexOf(signal.state);
    // Waiting was only concluded from a request: the task may well have gone on meanwhile.
    if (at < 0 && this.byApproval && signal.state !== this.state)
      at = (NEXT['running'] ?? []).indexOf(signal.state);
    return at < 0 ? Number.POSITIVE_INFINITY : at + penalty;
  }

  private apply({ at, state, reason, implied: concluded }: Signal): void {
    if (this.byApproval && !concluded && state === this.state) {
      this.confirm(reason);
      return;
    }
    this.leave(at);
    if (this.state === 'failed') this.retries.push(at);
    if (this.state === 'done' || this.state === 'cancelled') this.reopened += 1;
    if (state === 'running') this.running = at;
    this.failure = state === 'failed' ? reason : '';
    this.state = state;
    this.since = at;
    this.byApproval = concluded;
    this.transitions.push({ at, state, reason, applied: true });
  }

  /** The task says itself what an approval had already told: one transition, in its words. */
  private confirm(reason: string): void {
    this.byApproval = false;
    const last = this.transitions.findLastIndex(({ applied }) => applied);
    const known = this.transitions[last];
    if (known !== undefined && reason !== '') this.transitions[last] = { ...known, reason };
    if (this.state === 'failed' && reason !== '') this.failure = reason;
  }

  private leave(at: bigint): void {
    if (this.state === 'waiting_for_approval' || this.state === 'queued') {
      this.spent[this.state] += at - this.since;
    }
  }

  result(): Lifecycle {
    return {
      state: this.state,
      transitions: this.transitions,
      endedAt: TERMINAL.has(this.state) ? this.since : null,
      runningSince: this.running,
      waitingSince: this.state === 'waiting_for_approval' ? this.since : null,
      humanWaitMs: Number(this.spent.waiting_for_approval) / 1e6,
      queuedMs: Number(this.spent.queued) / 1e6,
      retries: this.retries,
      reopened: this.reopened,
      failure: this.failure,
    };
  }
}
