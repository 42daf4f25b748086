import type { Table } from './table.ts';

/** What a person says about a workflow; 0 and '' mean the default. Times in seconds. */
export interface WorkflowSettingsRow {
  /** `*` stands for every workflow without a row of its own. */
  readonly workflow: string;
  readonly ver: bigint;
  readonly deleted: number;
  /** '' or `trace`, `conversation`, `span:<name or kind>`. */
  readonly boundary: string;
  readonly idle_s: number;
  /** `done`: a task that is done is a success unless somebody says otherwise. */
  readonly success_when: string;
  readonly abandoned_running_s: number;
  readonly abandoned_queued_s: number;
  readonly abandoned_waiting_s: number;
}

export const workflowSettings: Table<WorkflowSettingsRow> = {
  name: 'workflow_settings',
  columns: {
    workflow: 'String',
    ver: 'UInt64',
    deleted: 'UInt8',
    boundary: 'String',
    idle_s: 'UInt32',
    success_when: 'LowCardinality(String)',
    abandoned_running_s: 'UInt32',
    abandoned_queued_s: 'UInt32',
    abandoned_waiting_s: 'UInt32',
  },
};
