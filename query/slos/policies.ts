/** One alerting tier: it fires when both windows burn faster than its factor. Windows are in seconds. */
export interface Policy {
  readonly name: string;
  readonly severity: 'page' | 'ticket';
  readonly longSeconds: number;
  readonly shortSeconds: number;
  /** Share of the whole budget that the long window may spend before it fires; null = `cap` alone decides. */
  readonly budgetFraction: number | null;
  /** Error ratio that always suffices: without it a factor at a target below 95 % can never be reached. */
  readonly cap: number;
  /** Level of the exact binomial gate. */
  readonly alpha: number;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** The window for which the tiers below are meant. */
const TUNED_DAYS = 28;

// Tiers, caps and gates were simulated against four other policies: reference "SLO burn" §1.3. The outage tier matters
// below 99 %, where a total outage takes the standard table 43 minutes or for ever.
const tiers: readonly Policy[] = [
  {
    name: 'page_outage',
    severity: 'page',
    longSeconds: 600,
    shortSeconds: 180,
    budgetFraction: null,
    cap: 0.5,
    alpha: 1e-4,
  },
  {
    name: 'page_1h',
    severity: 'page',
    longSeconds: HOUR,
    shortSeconds: 300,
    budgetFraction: 0.02,
    cap: 0.5,
    alpha: 1e-3,
  },
  {
    name: 'page_6h',
    severity: 'page',
    longSeconds: 6 * HOUR,
    shortSeconds: 1_800,
    budgetFraction: 0.05,
    cap: 0.25,
    alpha: 1e-3,
  },
  {
    name: 'ticket_1d',
    severity: 'ticket',
    longSeconds: DAY,
    shortSeconds: 2 * HOUR,
    budgetFraction: 0.1,
    cap: 1,
    alpha: 1e-3,
  },
  {
    name: 'ticket_3d',
    severity: 'ticket',
    longSeconds: 3 * DAY,
    shortSeconds: 6 * HOUR,
    budgetFraction: 0.1,
    cap: 1,
    alpha: 1e-3,
  },
];

/**
 * The tiers for an SLO window. A shorter window shrinks its alert windows with it: with fixed ones, the factors of a
 * 7-day SLO fall below 1 and alert while under budget.
 */
export function policiesFor(windowDays: number): Policy[] {
  const scale = Math.min(1, windowDays / TUNED_DAYS);
  return tiers.map((tier) => ({
    ...tier,
    longSeconds: Math.round(tier.longSeconds * scale),
    shortSeconds: Math.round(tier.shortSeconds * scale),
  }));
}

/** Burn at which a long window spends `budgetFraction` of the budget of the SLO's window. */
export function factorOf(
  budgetFraction: number,
  windowSeconds: number,
  longSeconds: number,
): number {
  return (budgetFraction * windowSeconds) / longSeconds;
}

/**
 * The short window and what it may widen to: doubled up to half the long one. At two tasks an hour a five-minute window
 * is usually empty, so that a plain rule flaps or stays silent.
 */
export function shortWindows(policy: Policy): number[] {
  const limit = policy.longSeconds / 2;
  const windows = [policy.shortSeconds];
  for (let width = policy.shortSeconds; width < limit; ) {
    width = Math.min(width * 2, limit);
    windows.push(width);
  }
  return windows;
}

/** Every window of an SLO in seconds, ascending; the SLO's own window is last. */
export function windowsFor(windowDays: number): number[] {
  const all = policiesFor(windowDays).flatMap((policy) => [
    policy.longSeconds,
    ...shortWindows(policy),
  ]);
  return [...new Set([...all, windowDays * DAY])].sort((a, b) => a - b);
}

/** `3m`, `6h`, `3d`: the largest unit that divides it. */
export function windowName(seconds: number): string {
  for (const [unit, size] of [
    ['d', DAY],
    ['h', HOUR],
    ['m', 60],
  ] as const) {
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}
