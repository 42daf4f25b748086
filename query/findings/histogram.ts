import type { Distribution, Shapes } from './background.ts';

// A bucket is 2 % wide: what a threshold of several times the median needs.
const width = Math.log(1.02);

/** The bucket of a value ≥ 0 as a key; `0` is a bucket of its own. */
export function bucketOf(value: number): string {
  return value <= 0 ? 'zero' : String(Math.round(Math.log(value) / width));
}

function middleOf(bucket: string): number {
  return bucket === 'zero' ? 0 : Math.exp(Number(bucket) * width);
}

/** Median and 99th percentile (nearest rank) of a histogram by {@link bucketOf}; null when it is empty. */
export function distributionOf(
  keys: readonly string[],
  counts: readonly number[],
): Distribution | null {
  const buckets = keys
    .map((key, i) => ({ value: middleOf(key), count: counts[i] ?? 0 }))
    .sort((a, b) => a.value - b.value);
  const n = buckets.reduce((sum, { count }) => sum + count, 0);
  if (n === 0) return null;
  const at = (share: number) => {
    let left = Math.ceil(share * n);
    for (const { value, count } of buckets) {
      left -= count;
      if (left <= 0) return value;
    }
    return buckets.at(-1)?.value ?? 0;
  };
  return { n, median: at(0.5), p99: at(0.99) };
}

/** How often each shape was seen. */
export function shapesOf(keys: readonly string[], counts: readonly number[]): Shapes {
  const pairs = keys.map((key, i) => [key, counts[i] ?? 0] as const);
  return { n: pairs.reduce((sum, [, count]) => sum + count, 0), counts: new Map(pairs) };
}
