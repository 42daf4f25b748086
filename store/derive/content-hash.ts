import { createHash } from 'node:crypto';
import type { Table } from '../tables/table.ts';
import { type TaskRow, tasks } from '../tables/tasks.ts';

/** A task row as it is stored by the derivation. */
export interface HashedTaskRow extends TaskRow {
  /** 0 for a withdrawn task. */
  readonly content_hash: bigint;
}

/** The table `tasks` with the hash that only the derivation writes. */
export const hashedTasks: Table<HashedTaskRow> = {
  name: tasks.name,
  columns: { ...tasks.columns, content_hash: 'UInt64' },
};

const derived = (Object.keys(tasks.columns) as (keyof TaskRow)[]).filter(
  (name) => name !== 'ver' && name !== 'deleted',
);

/** Hash of everything in a row but its version: equal rows, equal hashes, in every process of one build. */
export function contentHash(row: TaskRow): bigint {
  if (row.deleted === 1) return 0n;
  const text = JSON.stringify(derived.map((name) => plain(row[name])));
  return createHash('sha1').update(text).digest().readBigUInt64LE();
}

/** Bigints as text. Not by a replacer: JSON.stringify calls that for every value, which took three times as long. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return Array.isArray(value) ? value.map(plain) : value;
}
