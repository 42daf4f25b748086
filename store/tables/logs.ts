import type { Entries, Table } from './table.ts';

/** One log record as stored. `hash` is the xxh64 of body and attributes and part of its identity. */
export interface LogRow {
  readonly project: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly time: bigint;
  readonly hash: bigint;
  readonly ver: bigint;
  readonly mapping_version: number;
  readonly event_name: string;
  readonly severity_number: number;
  readonly severity_text: string;
  readonly body: string;
  readonly service: string;
  readonly scope_name: string;
  readonly scope_version: string;
  readonly resource: Entries<string>;
  readonly attributes: Entries<string>;
  readonly attribute_types: Entries<number>;
  readonly task_id: string;
  readonly task_id_kind: string;
  readonly workflow: string;
  readonly agent_name: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly environment: string;
  readonly release: string;
  /** What the record carries of its span's messages. */
  readonly input_messages: readonly bigint[];
  readonly output_messages: readonly bigint[];
  readonly system_instructions: readonly bigint[];
  readonly tool_definitions: readonly bigint[];
}

export const logs: Table<LogRow> = {
  name: 'logs',
  columns: {
    project: 'LowCardinality(String)',
    trace_id: 'String',
    span_id: 'String',
    time: "DateTime64(9, 'UTC')",
    hash: 'UInt64',
    ver: 'UInt64',
    mapping_version: 'UInt16',
    event_name: 'LowCardinality(String)',
    severity_number: 'UInt8',
    severity_text: 'LowCardinality(String)',
    body: 'String',
    service: 'LowCardinality(String)',
    scope_name: 'LowCardinality(String)',
    scope_version: 'LowCardinality(String)',
    resource: 'Map(LowCardinality(String), String)',
    attributes: 'Map(LowCardinality(String), String)',
    attribute_types: 'Map(LowCardinality(String), UInt8)',
    task_id: 'String',
    task_id_kind: 'LowCardinality(String)',
    workflow: 'LowCardinality(String)',
    agent_name: 'LowCardinality(String)',
    conversation_id: 'String',
    user_id: 'String',
    environment: 'LowCardinality(String)',
    release: 'LowCardinality(String)',
    input_messages: 'Array(UInt64)',
    output_messages: 'Array(UInt64)',
    system_instructions: 'Array(UInt64)',
    tool_definitions: 'Array(UInt64)',
  },
};
