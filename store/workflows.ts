import type { Store } from './connection.ts';
import { insert } from './insert.ts';
import { query, sql } from './sql.ts';
import { type WorkflowSettingsRow, workflowSettings } from './tables/workflow-settings.ts';

export type WorkflowSettings = Omit<WorkflowSettingsRow, 'ver' | 'deleted'>;

const nothing: Omit<WorkflowSettings, 'workflow'> = {
  boundary: '',
  idle_s: 0,
  success_when: '',
  abandoned_running_s: 0,
  abandoned_queued_s: 0,
  abandoned_waiting_s: 0,
};

/** Makes these the settings of workflows; those of any other workflow are gone. The view of tasks follows at once. */
export async function replaceWorkflowSettings(
  store: Store,
  settings: readonly WorkflowSettings[],
): Promise<void> {
  const known = await readWorkflowSettings(store);
  const same = JSON.stringify([...settings].sort(byName)) === JSON.stringify(known.sort(byName));
  if (same) return;
  const ver = BigInt(Date.now()) * 1000n;
  const kept = new Set(settings.map(({ workflow }) => workflow));
  const gone = known.filter(({ workflow }) => !kept.has(workflow));
  await insert(store, workflowSettings, [
    ...settings.map((one) => ({ ...one, ver, deleted: 0 })),
    ...gone.map(({ workflow }) => ({ workflow, ...nothing, ver, deleted: 1 })),
  ]);
}

function byName(a: WorkflowSettings, b: WorkflowSettings): number {
  return a.workflow < b.workflow ? -1 : 1;
}

/** The settings in force. */
export async function readWorkflowSettings(store: Store): Promise<WorkflowSettings[]> {
  return query<WorkflowSettings>(
    store,
    sql`SELECT workflow, boundary, idle_s, success_when, abandoned_running_s, abandoned_queued_s, abandoned_waiting_s
    FROM workflow_settings FINAL WHERE deleted = 0`,
  );
}
