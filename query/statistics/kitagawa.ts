export interface RateGroup {
  readonly name: string;
  readonly from: { readonly hits: number; readonly n: number };
  readonly to: { readonly hits: number; readonly n: number };
}

export interface RateSplit {
  readonly name: string;
  /** What the group's changed share of all tasks adds to the change of the whole rate. */
  readonly mix: number;
  /** What the group's own changed rate adds. */
  readonly rate: number;
}

/**
 * Kitagawa's decomposition of the change of a rate into mix and rate, exactly additive; mix terms are centred on the mean
 * rate so that each can be read by itself. A group absent from one window has the other window's rate there. Null when
 * a window is empty.
 */
export function kitagawa(groups: readonly RateGroup[]): {
  readonly change: number;
  readonly mix: number;
  readonly rate: number;
  readonly groups: RateSplit[];
} | null {
  const total = (side: 'from' | 'to', key: 'hits' | 'n') =>
    groups.reduce((sum, group) => sum + group[side][key], 0);
  const n = total('from', 'n');
  const m = total('to', 'n');
  if (n === 0 || m === 0) return null;
  const before = total('from', 'hits') / n;
  const after = total('to', 'hits') / m;
  const middle = (before + after) / 2;
  const parts = groups
    .filter(({ from, to }) => from.n + to.n > 0)
    .map(({ name, from, to }) => {
      const r0 = from.n > 0 ? from.hits / from.n : to.hits / to.n;
      const r1 = to.n > 0 ? to.hits / to.n : r0;
      const w0 = from.n / n;
      const w1 = to.n / m;
      return {
        name,
        mix: (w1 - w0) * ((r0 + r1) / 2 - middle),
        rate: ((w0 + w1) / 2) * (r1 - r0),
      };
    });
  return {
    change: after - before,
    mix: parts.reduce((sum, part) => sum + part.mix, 0),
    rate: parts.reduce((sum, part) => sum + part.rate, 0),
    groups: parts,
  };
}
