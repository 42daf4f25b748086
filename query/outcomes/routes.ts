import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import { insert } from '../../store/insert.ts';
import { evaluations } from '../../store/tables/evaluations.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import type { QueryContext } from '../context.ts';
import { problem } from '../problem.ts';
import { returns, valid } from '../valid.ts';
import { knownTarget, type Target } from './target.ts';

const name = z.string().min(1).max(512);

const target = {
  task_id: name.optional(),
  ref: name.optional(),
  trace_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/, { error: '32 lower-case hex digits' })
    .optional(),
  response_id: name.optional(),
  session_id: name.optional(),
};

const outcomeBody = z.strictObject({
  ...target,
  outcome: z.enum(['success', 'failure', 'unknown']),
  score: z.number().optional(),
  reason: z.string().max(10_000).optional(),
  source: z.enum(['explicit', 'feedback', 'evaluation']).default('explicit'),
  by: z.string().max(512).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
});

const evaluationBody = z.strictObject({
  task_id: name.optional(),
  trace_id: target.trace_id,
  span_id: z
    .string()
    .regex(/^[0-9a-f]{16}$/, { error: '16 lower-case hex digits' })
    .optional(),
  response_id: name.optional(),
  name,
  score: z.number().optional(),
  label: z.string().max(512).optional(),
  evaluator: z.string().max(512).optional(),
  explanation: z.string().max(10_000).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
});

const kept = z.object({
  key: z.string(),
  /** False: nothing with this id has arrived yet; the verdict is kept and applies when it does. */
  applied: z.boolean(),
});

/** `POST /api/v1/outcomes` and `POST /api/v1/evaluations`: verdicts after the fact. 201 applied, 202 kept for later. */
export function outcomesRoutes({ store, project, now }: QueryContext): Hono {
  const app = new Hono();

  app.post(
    '/api/v1/outcomes',
    returns('Keeps a verdict on a task', kept, 201),
    valid('json', outcomeBody),
    async (c) => {
      const body = c.req.valid('json');
      const where = one(pick(body, ['task_id', 'ref', 'trace_id', 'response_id', 'session_id']));
      const key = c.req.header('idempotency-key') ?? digest(body);
      const row = {
        project: project(c),
        key,
        ...where,
        outcome: body.outcome,
        score: body.score ?? null,
        reason: body.reason ?? '',
        source: body.source,
        by: body.by ?? '',
        at: micros(body.at, now()),
      };
      await insert(store, outcomes, [row]);
      const applied = await knownTarget(store, row.project, where, now());
      return c.json({ key, applied }, applied ? 201 : 202);
    },
  );

  app.post(
    '/api/v1/evaluations',
    returns('Keeps a score of a task, span or response', kept, 201),
    valid('json', evaluationBody),
    async (c) => {
      const body = c.req.valid('json');
      const ids = pick(body, ['task_id', 'trace_id', 'response_id']);
      const where = body.span_id === undefined ? one(ids) : { ...none, ...ids };
      const key = c.req.header('idempotency-key') ?? digest(body);
      const row = {
        project: project(c),
        key,
        task_id: where.task_id,
        trace_id: where.trace_id,
        response_id: where.response_id,
        span_id: body.span_id ?? '',
        name: body.name,
        score: body.score ?? null,
        label: body.label ?? '',
        evaluator: body.evaluator ?? '',
        explanation: body.explanation ?? '',
        at: micros(body.at, now()),
      };
      await insert(store, evaluations, [row]);
      const applied =
        body.span_id !== undefined || (await knownTarget(store, row.project, where, now()));
      return c.json({ key, applied }, applied ? 201 : 202);
    },
  );

  return app;
}

const none: Target = { task_id: '', ref: '', trace_id: '', response_id: '', session_id: '' };

function pick(body: object, names: readonly (keyof Target)[]): Partial<Target> {
  const given = Object.entries(body).filter(
    ([name, value]) => names.includes(name as keyof Target) && value,
  );
  return Object.fromEntries(given);
}

function one(given: Partial<Target>): Target {
  if (Object.keys(given).length === 1) return { ...none, ...given };
  throw problem(
    400,
    'The body is not valid.',
    'Name exactly one of task_id, ref, trace_id, response_id, session_id.',
    'task_id',
  );
}

/** The same body is the same verdict: without a key of its own, a client's retry changes nothing. */
function digest(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 32);
}

function micros(at: string | undefined, now: Date): bigint {
  return BigInt(at === undefined ? now.getTime() : new Date(at).getTime()) * 1000n;
}
