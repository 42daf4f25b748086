import type { OtlpBuckets, OtlpDistribution } from './model.ts';

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A distribution while its fields are read. */
export type DistributionDraft = Omit<
  Draft<OtlpDistribution>,
  'bounds' | 'bucketCounts' | 'quantiles'
> & {
  bounds: number[];
  bucketCounts: bigint[];
  quantiles: { quantile: number; value: number }[];
};

const noBuckets: OtlpBuckets = { offset: 0, counts: [] };

export function emptyDistribution(): DistributionDraft {
  return {
    count: 0n,
    sum: null,
    min: null,
    max: null,
    bounds: [],
    bucketCounts: [],
    scale: 0,
    zeroCount: 0n,
    zeroThreshold: 0,
    positive: noBuckets,
    negative: noBuckets,
    quantiles: [],
  };
}
