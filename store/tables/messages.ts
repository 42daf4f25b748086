import type { Table } from './table.ts';

/** One distinct piece of payload of a trace and day, addressed by the xxh64 of its bytes. */
export interface MessageRow {
  readonly project: string;
  readonly day: number;
  readonly trace_id: string;
  readonly hash: bigint;
  readonly content: string;
}

export const messages: Table<MessageRow> = {
  name: 'messages',
  columns: {
    project: 'LowCardinality(String)',
    day: 'Date',
    trace_id: 'String',
    hash: 'UInt64',
    content: 'String',
  },
};
