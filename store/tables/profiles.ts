import type { Table } from './table.ts';

/** What one UTC day says about a tool or a workflow: a histogram. */
export interface ProfileRow {
  readonly project: string;
  readonly day: number;
  /** `tool`: results by shape; `cost`: successes by cost; `calls`: tasks by tool calls. */
  readonly kind: string;
  /** The tool or the workflow; `''` marks a day that was learnt, whether or not it held anything. */
  readonly name: string;
  readonly ver: bigint;
  readonly keys: readonly string[];
  readonly counts: readonly bigint[];
}

export const profiles: Table<ProfileRow> = {
  name: 'profiles',
  columns: {
    project: 'LowCardinality(String)',
    day: 'Date',
    kind: 'LowCardinality(String)',
    name: 'String',
    ver: 'UInt64',
    keys: 'Array(String)',
    counts: 'Array(UInt64)',
  },
};
