import { Hono } from 'hono';
import { param, query, sql } from '../../store/sql.ts';
import type { QueryContext } from '../context.ts';
import type { Judge } from '../decisions/judge.ts';
import { unknownTask } from '../tasks/routes.ts';
import { returns } from '../valid.ts';
import { agentParts, type CriticalPart, criticalParts } from './agents.ts';
import { trajectoryAnswer } from './answers.ts';
import { judgedTasks } from './groups.ts';
import { measure } from './measures.ts';

const mostCritical = 100;

/** The parts with the most time, in order of time. */
function longest(parts: readonly CriticalPart[]): CriticalPart[] {
  const time = (part: CriticalPart) => part.model_ms + part.tool_ms;
  return parts
    .filter((part) => time(part) > 0)
    .toSorted((a, b) => time(b) - time(a) || a.n - b.n)
    .slice(0, mostCritical)
    .toSorted((a, b) => a.n - b.n);
}

/** `GET /api/v1/tasks/{id}/trajectory`: derived on read, so that it is there before the second pass. */
export function taskTrajectoryRoutes({ store, project, now }: QueryContext, judge: Judge): Hono {
  const app = new Hono();

  app.get(
    '/api/v1/tasks/:id/trajectory',
    returns('How one task went, in counts', trajectoryAnswer),
    async (c) => {
      const id = c.req.param('id');
      const own = project(c);
      const task = await judge.task(own, id, now());
      if (task === undefined) throw unknownTask(id);
      const { trajectory, findings, background } = task;
      const measures = measure(trajectory, findings, background);
      const { workflow } = trajectory.task;
      const calls = measures.model_calls + measures.tool_calls;
      const best = await bestRun(own, workflow ?? '', background.startedAt);
      const efficiency_ratio = best === null || calls === 0 ? null : best.calls / calls;
      const critical = criticalParts(trajectory);
      return c.json({
        task_id: id,
        workflow,
        ...measures,
        agents: agentParts(trajectory, critical),
        critical_path: longest(critical),
        best,
        efficiency_ratio,
      });
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
