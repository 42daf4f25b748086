import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { usdOf } from '../money.ts';
import { prices, range } from '../tasks/routes.ts';
import { rfc, time } from '../time.ts';
import { limit, returns, traffic, valid } from '../valid.ts';
import {
  type CallKind,
  type CallRow,
  callRows,
  type NamePage,
  type WorkflowRow,
  workflowRows,
} from './select.ts';

const inventoryQuery = z.strictObject({
  from: time.default('now-7d'),
  to: time.default('now'),
  workflow: z.string().optional(),
  agent: z.string().optional(),
  release: z.string().optional(),
  traffic,
  prices,
  limit: limit(100, 1000),
  cursor: z.string().optional(),
});

const usd = z.number().nullable();
const ratio = z.number().nullable();
const ms = z.number().nullable();

const workflow = z.object({
  workflow: z.string().nullable(),
  tasks: z.int(),
  successes: z.int(),
  failures: z.int(),
  /** Of the tasks with a verdict. */
  success_ratio: ratio,
  label_coverage_ratio: z.number(),
  escalated: z.int(),
  llm_calls: z.int(),
  tool_calls: z.int(),
  tool_errors: z.int(),
  tool_error_ratio: ratio,
  cost_usd: usd,
  cost_usd_known: z.number(),
  duration_p50_ms: ms,
  duration_p95_ms: ms,
  last_seen_at: z.string(),
});

const called = {
  tasks: z.int(),
  calls: z.int(),
  errors: z.int(),
  error_ratio: z.number(),
  /** Null when the cost of a call is not known: no price, no usage, or, of tools, no rates. */
  cost_usd: usd,
  cost_usd_known: z.number(),
  duration_p50_ms: z.number(),
  duration_p95_ms: z.number(),
  last_seen_at: z.string(),
};

const tool = z.object({ tool: z.string().nullable(), ...called });

const model = z.object({
  model: z.string().nullable(),
  provider: z.string().nullable(),
  ...called,
  input_tokens: z.int(),
  output_tokens: z.int(),
});

const cursor = z.string().nullable();

/** `GET /api/v1/workflows`, `/tools` and `/models`: what was seen of each, in order of their names. */
export function inventoryRoutes({ store, project, now }: QueryContext): Hono {
  const app = new Hono();

  const scopeOf = (query: z.output<typeof inventoryQuery>, own: string) => {
    const at = now();
    return { project: own, ...range(query.from, query.to, at), now: at, prices: query.prices };
  };

  app.get(
    '/api/v1/workflows',
    returns(
      'Workflows: tasks, how they came out, cost',
      z.object({ workflows: z.array(workflow), next_cursor: cursor }),
    ),
    valid('query', inventoryQuery),
    async (c) => {
      const query = c.req.valid('query');
      const rows = await workflowRows(store, scopeOf(query, project(c)), query, pageOf(query));
      const { shown, next_cursor } = split(rows, query.limit, (row) => [row.workflow]);
      return c.json({ workflows: shown.map(toWorkflow), next_cursor });
    },
  );

  const ofCalls = async (kind: CallKind, query: z.output<typeof inventoryQuery>, own: string) => {
    const rows = await callRows(store, kind, scopeOf(query, own), query, pageOf(query));
    return split(rows, query.limit, ({ key }) => key);
  };

  app.get(
    '/api/v1/tools',
    returns('Tools: calls, errors, cost', z.object({ tools: z.array(tool), next_cursor: cursor })),
    valid('query', inventoryQuery),
    async (c) => {
      const { shown, next_cursor } = await ofCalls('tool', c.req.valid('query'), project(c));
      return c.json({ tools: shown.map(toTool), next_cursor });
    },
  );

  app.get(
    '/api/v1/models',
    returns(
      'Models by provider: calls, errors, tokens, cost',
      z.object({ models: z.array(model), next_cursor: cursor }),
    ),
    valid('query', inventoryQuery),
    async (c) => {
      const { shown, next_cursor } = await ofCalls('model', c.req.valid('query'), project(c));
      return c.json({ models: shown.map(toModel), next_cursor });
    },
  );

  return app;
}

function pageOf({ cursor: text, limit: size }: z.output<typeof inventoryQuery>): NamePage {
  return { after: decodeCursor(text, z.array(z.string()).min(1).max(2)), limit: size + 1 };
}

/** One row more than shown was read: with it there is a next page. */
function split<Row>(rows: readonly Row[], size: number, keyOf: (row: Row) => readonly string[]) {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  const more = rows.length > size && last !== undefined;
  return { shown, next_cursor: more ? encodeCursor(keyOf(last)) : null };
}

function toWorkflow(row: WorkflowRow): z.output<typeof workflow> {
  const tasks = Number(row.tasks);
  const successes = Number(row.successes);
  const failures = Number(row.failures);
  return {
    workflow: row.workflow || null,
    tasks,
    successes,
    failures,
    success_ratio: ratioOf(successes, successes + failures),
    label_coverage_ratio: ratioOf(successes + failures, tasks) ?? 0,
    escalated: Number(row.escalated),
    llm_calls: Number(row.llm_calls),
    tool_calls: Number(row.tool_calls),
    tool_errors: Number(row.tool_errors),
    tool_error_ratio: ratioOf(Number(row.tool_errors), Number(row.tool_calls)),
    ...costOf(row),
    duration_p50_ms: row.duration_p50,
    duration_p95_ms: row.duration_p95,
    last_seen_at: rfc(row.last_at),
  };
}

function toTool({ key, ...row }: CallRow): z.output<typeof tool> {
  return { tool: key[0] || null, ...calledOf(row) };
}

function toModel({ key, ...row }: CallRow): z.output<typeof model> {
  return {
    model: key[0] || null,
    provider: key[1] || null,
    ...calledOf(row),
    input_tokens: Number(row.input_tokens),
    output_tokens: Number(row.output_tokens),
  };
}

function calledOf(row: Omit<CallRow, 'key'>) {
  return {
    tasks: Number(row.tasks),
    calls: Number(row.calls),
    errors: Number(row.errors),
    error_ratio: ratioOf(Number(row.errors), Number(row.calls)) ?? 0,
    ...costOf(row),
    duration_p50_ms: row.duration_p50,
    duration_p95_ms: row.duration_p95,
    last_seen_at: rfc(row.last_at),
  };
}

function costOf({
  cost,
  unknown_costs,
}: {
  readonly cost: number;
  readonly unknown_costs: string;
}) {
  // The engine adds in any order; beyond a billionth of a cent only that order would show.
  const known = usdOf(cost);
  return { cost_usd: Number(unknown_costs) > 0 ? null : known, cost_usd_known: known };
}

function ratioOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
