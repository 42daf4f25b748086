import { z } from 'zod';

const ratio = z.number().nullable();
const key = z.record(z.string(), z.string().nullable());

/** `GET /api/v1/findings`. */
export const ratesAnswer = z.object({
  groups: z.array(
    z.object({
      key,
      tasks: z.int(),
      successes: z.int(),
      failures: z.int(),
      occurrences: z.int(),
      tasks_judged: z.int(),
      rate: z.number(),
      rate_low: z.number(),
      rate_high: z.number(),
      cost_usd_known: z.number(),
      example_task_ids: z.array(z.string()),
    }),
  ),
  tasks_judged: z.int(),
  tasks_unjudged: z.int(),
});

/** `GET /api/v1/rules`. */
export const rulesAnswer = z.object({
  rules: z.array(
    z.object({
      finding: z.string(),
      version: z.int(),
      class: z.enum(['fact', 'judgement']),
      severity: z.enum(['info', 'warn', 'error']),
      level: z.enum(['M', 'C']),
      enabled: z.boolean(),
      parameters: z.record(z.string(), z.number()),
    }),
  ),
});

/** `GET /api/v1/trajectories`. */
export const trajectoriesAnswer = z.object({
  groups: z.array(
    z.object({
      key,
      tasks: z.int(),
      successes: z.int(),
      decisions_per_task: z.number(),
      decisions_p50: ratio,
      decisions_p95: ratio,
      model_calls_per_task: z.number(),
      tool_calls_per_task: z.number(),
      iterations_per_task: ratio,
      unnecessary_call_ratio: ratio,
      invalid_argument_ratio: ratio,
      blocked_action_ratio: ratio,
      handoff_failure_ratio: ratio,
      unused_result_ratio: ratio,
      broken_expectation_ratio: ratio,
      plan_adherence_ratio: ratio,
      peak_context_ratio_mean: ratio,
      peak_context_ratio_max: ratio,
      efficiency_ratio: ratio,
    }),
  ),
  calibration: z.object({
    tasks: z.int(),
    brier_score: ratio,
    expected_calibration_error: ratio,
    bins: z.array(
      z.object({
        confidence_low: z.number(),
        tasks: z.int(),
        confidence_mean: z.number(),
        success_rate: z.number(),
      }),
    ),
  }),
  reward_signals: z.array(
    z.object({
      source: z.string(),
      by: z.string().nullable(),
      tasks: z.int(),
      agreeing: z.int(),
      agreement: z.number(),
      agreement_low: z.number(),
      agreement_high: z.number(),
      false_successes: z.int(),
      false_failures: z.int(),
    }),
  ),
});

/** `GET /api/v1/tasks/{id}/trajectory`. */
export const trajectoryAnswer = z.object({
  task_id: z.string(),
  workflow: z.string().nullable(),
  decisions: z.int(),
  model_calls: z.int(),
  tool_calls: z.int(),
  unnecessary_calls: z.int(),
  judged_arguments: z.int(),
  invalid_arguments: z.int(),
  blocked_calls: z.int(),
  handoffs: z.int(),
  failed_handoffs: z.int(),
  known_results: z.int(),
  unused_results: z.int(),
  order_rules: z.int(),
  broken_order_rules: z.int(),
  planned_steps: z.int(),
  followed_steps: z.int(),
  iterations: z.int(),
  peak_context_ratio: ratio,
  confidences: z.array(z.number()),
  /** The agents in order of their first decision, each with the one that handed over or delegated to it. */
  agents: z.array(
    z.object({
      agent: z.string().nullable(),
      from: z.string().nullable(),
      decisions: z.int(),
      tool_calls: z.int(),
      cost_usd: z.number().nullable(),
      input_tokens: z.int(),
      output_tokens: z.int(),
      critical_ms: z.number(),
    }),
  ),
  /** The decisions that took most of the time that decided when the task ended, at most 100. */
  critical_path: z.array(
    z.object({ decision: z.string(), n: z.int(), model_ms: z.number(), tool_ms: z.number() }),
  ),
  /** The success of the same workflow with the fewest calls in the 30 days before; null when there is none. */
  best: z.object({ task_id: z.string(), calls: z.int() }).nullable(),
  /** Calls of the best over the task's own. */
  efficiency_ratio: ratio,
});
