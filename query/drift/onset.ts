import {
  binomialSeries,
  type ChangePoint,
  changePoint,
  type Direction,
  gaussianSeries,
  multinomialSeries,
  type Series,
} from '../statistics/change-point.ts';
import { clustering } from './judge-share.ts';
import type { Judgement } from './judgement.ts';
import { addSums, type LogQuantity, logMoments, type Sums } from './measures.ts';
import type { Bucket, ToolCount } from './read.ts';
import type { Signal } from './signals.ts';

/** When a signal changed. Times are milliseconds since 1970. */
export interface Onset {
  readonly at: number;
  /** 95 % credible interval of the start of the first changed hour, and of the end of it. */
  readonly low: number;
  readonly high: number;
  readonly p: number;
  /** Posterior mass that the change fell into an hour. */
  readonly mass: (from: number, to: number) => number;
}

/** Level of the scan's post-selection p. */
const P_MAX = 0.01;
const HOUR = 3_600_000;

interface Hour {
  readonly hour: number;
  readonly sums: Sums;
}

/** When the drift of a signal began, by the hour; null when no single moment stands out. */
export function onsetOf(
  signal: Signal,
  { direction, detail }: Judgement,
  buckets: readonly Bucket[],
  toolHours: readonly ToolCount[],
): Onset | null {
  const hours = hourly(buckets);
  switch (signal.kind) {
    case 'share': {
      const used = hours.filter(({ sums }) => sums[signal.n] > 0);
      const shares = used.map(({ sums }) => ({ hits: sums[signal.hits], n: sums[signal.n] }));
      return scan(used, binomialSeries(shares, direction));
    }
    case 'call_share': {
      const used = hours.filter(({ sums }) => sums.tool_calls > 0);
      const designEffect = Math.max(1, clustering(addSums(used.map(({ sums }) => sums))));
      const shares = used.map(({ sums }) => ({
        hits: sums.tool_errors / designEffect,
        n: sums.tool_calls / designEffect,
      }));
      return scan(used, binomialSeries(shares, direction));
    }
    case 'log':
    case 'quantile':
    case 'rank':
      return logOnset(hours, signal.quantity, direction);
    case 'mix':
      return mixOnset(toolHours, Number(detail['design_effect'] ?? 1));
  }
}

function logOnset(
  hours: readonly Hour[],
  quantity: LogQuantity,
  direction: Direction,
): Onset | null {
  const used = hours.filter(({ sums }) => sums[`${quantity}_n`] > 0);
  const moments = used.map(({ sums }) => logMoments(sums, quantity));
  return scan(used, gaussianSeries(moments, direction));
}

function mixOnset(toolHours: readonly ToolCount[], designEffect: number): Onset | null {
  const tools = [...new Set(toolHours.map(({ tool }) => tool))];
  const byHour = new Map<number, Map<string, number>>();
  for (const { group, tool, count } of toolHours) {
    const hour = byHour.get(Number(group)) ?? new Map<string, number>();
    hour.set(tool, (hour.get(tool) ?? 0) + count);
    byHour.set(Number(group), hour);
  }
  const hours = [...byHour].sort(([a], [b]) => a - b);
  const counts = hours.map(([, hour]) => tools.map((tool) => hour.get(tool) ?? 0));
  const used = hours.map(([hour]) => ({ hour }));
  return scan(used, multinomialSeries(counts, designEffect));
}

function hourly(buckets: readonly Bucket[]): Hour[] {
  const byHour = new Map<number, Sums[]>();
  for (const { hour, sums } of buckets) byHour.set(hour, [...(byHour.get(hour) ?? []), sums]);
  return [...byHour]
    .map(([hour, parts]) => ({ hour, sums: addSums(parts) }))
    .sort((a, b) => a.hour - b.hour);
}

function scan(hours: readonly { readonly hour: number }[], series: Series): Onset | null {
  const found = changePoint(series);
  if (found === null || found.p >= P_MAX) return null;
  return toOnset(hours, found);
}

function toOnset(hours: readonly { readonly hour: number }[], found: ChangePoint): Onset {
  const start = (k: number) => (hours[k]?.hour ?? 0) * HOUR;
  return {
    at: start(found.at),
    low: start(found.low),
    high: start(found.high) + HOUR,
    p: found.p,
    mass: (from, to) =>
      found.posterior.reduce((sum, weight, k) => {
        const begin = start(k);
        return begin < to && begin + HOUR > from ? sum + weight : sum;
      }, 0),
  };
}
