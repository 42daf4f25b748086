import { Hono } from 'hono';
import { param, query, sql } from '../../store/sql.ts';
import type { QueryContext } from '../context.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import { loadEvidence } from '../decisions/load.ts';
import { unknownTask } from '../tasks/routes.ts';
import { returns } from '../valid.ts';
import { trajectoryAnswer } from './answers.ts';
import { backgroundOf } from './backgrounds.ts';
import { findDefects } from './find.ts';
import { judgedTasks } from './groups.ts';
import { measure } from './measures.ts';
import type { FindingsSettings } from './settings.ts';

/** `GET /api/v1/tasks/{id}/trajectory`: derived on read, so that it is there before the second pass. */
export function taskTrajectoryRoutes(
  { store, project, now }: QueryContext,
  settings: (project: string) => FindingsSettings,
): Hono {
  const app = new Hono();

  app.get(
    '/api/v1/tasks/:id/trajectory',
    returns('How one task went, in counts', trajectoryAnswer),
    async (c) => {
      const id = c.req.param('id');
      const own = project(c);
      const evidence = await loadEvidence(store, own, id, now());
      if (evidence === undefined) throw unknownTask(id);
      const trajectory = deriveTrajectory(evidence);
      const background = await backgroundOf(store, own, evidence, settings(own));
      const findings = findDefects(trajectory, settings(own).rules, background);
      const measures = measure(trajectory, findings, background);
      const { workflow } = evidence.task;
      const calls = measures.model_calls + measures.tool_calls;
      const best = await bestRun(own, workflow ?? '', background.startedAt);
      const efficiency_ratio = best === null || calls === 0 ? null : best.calls / calls;
      return c.json({ task_id: id, workflow, ...measures, best, efficiency_ratio });
    },
  );

  /** The success of the workflow with the fewest calls that counts in the 30 days before, the earliest of several. */
  async function bestRun(own: string, workflow: string, startedAt: bigint) {
    const to = new Date(Number(startedAt / 1_000_000n));
    const from = new Date(to.getTime() - 30 * 86_400_000);
    const scope = { project: own, from, to, now: now(), prices: 'as_of_call' };
    const rows = await query<{ task_id: string; calls: string }>(
      store,
      sql`SELECT t.task_id AS task_id, toString(f.model_calls + f.tool_calls) AS calls
        ${judgedTasks(scope, { workflow, outcome: 'success', traffic: 'live' })}
        WHERE f.task_id != '' AND f.model_calls > 0
        ORDER BY f.model_calls + f.tool_calls, t.counted_at
        LIMIT ${param('UInt8', 1)}`,
    );
    const [row] = rows;
    return row === undefined ? null : { task_id: row.task_id, calls: Number(row.calls) };
  }

  return app;
}
