import { z } from 'zod';
import { storedFinding } from '../findings/stored.ts';
import { usdOf } from '../money.ts';
import { rfc } from '../time.ts';

const text = z.string().nullable();
const count = z.int();
const tokens = z.int().nullable();
const ms = z.number().nullable();
const usd = z.number().nullable();

/** A task as every list and record gives it (DESIGN §6): flat, `null` = unknown, `[]` = none. */
export const taskRecord = z.object({
  task_id: z.string(),
  workflow: text,
  agent_path: text,
  session_id: text,
  user_id: text,
  environment: text,
  release: text,
  prompt_versions: z.array(z.string()),
  agent_version_hash: text,
  traffic: z.string(),
  ref: text,
  parent_id: text,
  models: z.array(z.string()),
  providers: z.array(z.string()),
  state: z.string(),
  outcome: z.enum(['success', 'failure', 'unknown']),
  outcome_source: text,
  outcome_score: z.number().nullable(),
  outcome_reason: text,
  attempts: count,
  started_at: z.string(),
  ended_at: text,
  last_signal_at: z.string(),
  duration_ms: ms,
  model_ms: ms,
  tool_ms: ms,
  retrieval_ms: ms,
  human_wait_ms: ms,
  rate_limited_ms: ms,
  queued_ms: ms,
  ttft_ms: ms,
  llm_calls: count,
  tool_calls: count,
  tool_errors: count,
  handoffs: count,
  approvals: count,
  escalated: z.boolean(),
  /** Over 100,000 spans or 30 days: its row follows its telemetry more slowly than others. */
  oversized: z.boolean(),
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  reasoning_tokens: tokens,
  peak_context_tokens: tokens,
  cost_usd: usd,
  cost_usd_known: z.number(),
  /** With everything that was started inside it under an id of its own; null if a part of it is unknown. */
  cost_usd_total: usd,
  subtasks: z.array(z.string()),
  unpriced_models: z.array(z.string()),
  /** Model calls whose usage is unknown; they make `cost_usd` null as well. */
  unmetered_calls: count,
  cost_usd_reported: usd,
  /** Tool calls at their rates, and waiting for people at theirs: beside `cost_usd`, null where no rate is set. */
  tool_cost_usd: usd,
  human_cost_usd: usd,
  error_message: text,
  /** Null until the second pass has judged the task, `[]` when it found nothing. */
  findings: z.array(storedFinding).nullable(),
  trace_ids: z.array(z.string()),
  attribution: z.string(),
});

export type TaskRecord = z.infer<typeof taskRecord>;

/** A row of `tasks_v` as JSONEachRow gives it: 64-bit integers are text, times are UTC text. */
export type TaskViewRow = Readonly<Record<string, unknown>>;

type Convert = (value: unknown) => unknown;

const orNull: Convert = (value) => (value === '' || value === undefined ? null : value);
const number: Convert = (value) => (value === null || value === undefined ? null : Number(value));
const money: Convert = (value) =>
  value === null || value === undefined ? null : usdOf(Number(value));
const timeOrNull: Convert = (value) =>
  typeof value === 'string' && value !== '' ? rfc(value) : null;
const truth: Convert = (value) => Number(value) === 1;
const asIs: Convert = (value) => value;

const special: Readonly<Record<string, Convert>> = {
  started_at: timeOrNull,
  ended_at: timeOrNull,
  last_signal_at: timeOrNull,
  escalated: truth,
  oversized: truth,
  prompt_versions: asIs,
  models: asIs,
  providers: asIs,
  unpriced_models: asIs,
  trace_ids: asIs,
  subtasks: asIs,
  findings: (value) => value ?? null,
  traffic: asIs,
};

const numeric = /_ms$|_tokens$|^attempts$|_calls$|_errors$|^handoffs$|^approvals$|_score$/;

const converters = Object.keys(taskRecord.shape).map((name): readonly [string, Convert] => [
  name,
  special[name] ?? (numeric.test(name) ? number : name.includes('_usd') ? money : orNull),
]);

/** The record of one row of the view. */
export function toRecord(row: TaskViewRow): TaskRecord {
  const record = converters.map(([name, convert]) => [name, convert(row[name])]);
  const task = Object.fromEntries(record) as TaskRecord;
  // A root that has ended may still be followed by others: until the state says so, nothing has ended.
  return task.duration_ms === null ? { ...task, ended_at: null } : task;
}
