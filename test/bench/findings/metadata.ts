import type { DecisionSpan, TaskEvidence } from '../../../query/decisions/evidence.ts';
import type { Background } from '../../../query/findings/background.ts';
import type { RecordedRun } from '../../decisions/recorded-run.ts';
import { turnsOf } from './clean-run.ts';
import { type Mutant, type Mutation, nth, onSpan } from './mutation.ts';

// Defects that only spans, logs and the task's record tell.

/** A mutant for every tool span of the run that succeeded. */
function forTools(
  run: RecordedRun,
  change: (span: DecisionSpan) => Partial<DecisionSpan>,
): Mutant[] {
  return turnsOf(run).flatMap(({ failed, tool, decision }, i) =>
    failed || /human/.test(tool) ? [] : [{ store: onSpan(nth('tool', i), change), decision }],
  );
}

/** A mutant for every third model span of the run. */
function forModels(
  run: RecordedRun,
  change: (span: DecisionSpan) => Partial<DecisionSpan>,
): Mutant[] {
  const decisions = run.traj.filter(({ role }) => role === 'assistant').length;
  return Array.from({ length: Math.ceil(decisions / 3) }, (_, i) => ({
    store: onSpan(nth('llm', 3 * i), change),
    decision: 3 * i,
  }));
}

/** One mutant that differs in what is known beside the spans. */
function known(background: Partial<Background>, store?: Mutant['store']): Mutant[] {
  return [{ background, decision: null, ...(store === undefined ? {} : { store }) }];
}

const ofSpans: readonly Mutation[] = [
  {
    rule: 'tool_error',
    defect: 'a tool span with status error',
    inject: (run) =>
      forTools(run, () => ({ status: 'error', tool_error_by: 'span', error_type: 'IOError' })),
  },
  {
    rule: 'tool_error',
    defect: 'a result flagged as an error',
    inject: (run) => forTools(run, () => ({ tool_error_by: 'flag' })),
  },
  {
    rule: 'blocked_action',
    defect: 'a call that was denied',
    inject: (run) => forTools(run, () => ({ attributes: { decision: 'reject' } })),
  },
  {
    rule: 'unapproved_risky_action',
    defect: 'a risky action without approval',
    inject: (run) => forTools(run, () => ({ tool_risk: 'high' })),
  },
  {
    rule: 'unapproved_risky_action',
    defect: 'a risky action whose approval was denied',
    inject: (run) =>
      forTools(run, () => ({ tool_risk: 'critical' })).map((mutant) => ({
        ...mutant,
        store: (evidence) => deny(mutant.store?.(evidence) ?? evidence),
      })),
  },
  {
    rule: 'model_substituted',
    defect: 'another model answers',
    inject: (run) => forModels(run, () => ({ response_model: 'gpt-4o-mini-2024-07-18' })),
  },
  {
    rule: 'deprecated_model',
    defect: 'a model that was shut down',
    inject: (run) =>
      forModels(run, () => ({
        request_model: 'gpt-4.5-preview',
        response_model: 'gpt-4.5-preview',
      })),
  },
  {
    rule: 'truncated_output',
    defect: 'a truncated answer',
    inject: (run) => forModels(run, () => ({ finish_reason: 'length' })),
  },
  {
    rule: 'refusal',
    defect: 'output withheld by a content filter',
    inject: (run) => forModels(run, () => ({ finish_reason: 'content_filter' })),
  },
  {
    rule: 'context_pressure',
    defect: 'a context nearly full',
    inject: (run) => forModels(run, () => ({ input_tokens: 120_000 })),
  },
  {
    rule: 'cache_churn',
    defect: 'a prompt cache written anew',
    inject: (run) =>
      forModels(run, () => ({ cache_write_tokens: 60_000, cache_read_tokens: 1_000 })),
  },
  {
    rule: 'limit_exceeded',
    defect: 'a budget exceeded',
    inject: (run) =>
      forModels(run, () => ({ attributes: { 'agent.budget.exceeded': 'usd 0.50' } })),
  },
];

/** An approval for every call of the span's tool, denied before it ran. */
function deny(evidence: TaskEvidence): TaskEvidence {
  const risky = evidence.spans.find(({ tool_risk }) => tool_risk === 'critical');
  if (risky === undefined) return evidence;
  const log = (status: string, before: bigint) => ({
    trace_id: risky.trace_id,
    span_id: risky.span_id,
    time: risky.start - before,
    event_name: 'agent.approval',
    agent_name: '',
    attributes: {
      'agent.approval.id': 'a1',
      'agent.approval.action': risky.tool_name,
      'agent.approval.call_id': risky.tool_call_id,
      'agent.approval.status': status,
    },
  });
  return { ...evidence, logs: [log('requested', 2_000_000n), log('denied', 1_000_000n)] };
}

const ofTasks: readonly Mutation[] = [
  {
    rule: 'tool_call_avalanche',
    defect: 'a task with far more calls than its workflow makes',
    inject: (run) =>
      turnsOf(run).length > 3 ? known({ calls: { n: 400, median: 0, p99: 0 } }, manyCalls) : [],
  },
  {
    rule: 'cost_runaway',
    defect: 'a task of ten times the usual cost',
    inject: () => known({ costUsd: 0.2, cost: { n: 60, median: 0.02, p99: 0.05 } }),
  },
  {
    rule: 'human_wait',
    defect: 'two minutes spent waiting for a person',
    inject: () => known({ humanWaitMs: 120_000 }),
  },
  {
    rule: 'rate_limited',
    defect: 'half a minute lost to 429',
    inject: () =>
      known(
        { rateLimitedMs: 30_000 },
        onSpan(nth('llm', 1), () => ({ status: 'error', error_type: '429 rate_limit_exceeded' })),
      ),
  },
  {
    rule: 'duplicate_task',
    defect: 'another task with the same idempotency key an hour before',
    inject: () =>
      known({ twins: [{ task_id: 'other', key: 'k', started_at: 1_763_629_220_000_000_000n }] }),
  },
  {
    rule: 'expectation_violated',
    defect: 'a required tool is never called',
    inject: () => known({ expect: expects({ required: ['verify_identity'] }) }),
  },
  {
    rule: 'expectation_violated',
    defect: 'a forbidden tool is called',
    inject: (run) =>
      [...new Set(turnsOf(run).map(({ tool }) => tool))].flatMap((tool) =>
        known({ expect: expects({ forbidden: [tool] }) }),
      ),
  },
  {
    rule: 'provider_failover',
    defect: 'one request answered by two providers',
    inject: () =>
      known({}, (evidence) => {
        const ask = (provider: string) => () => ({ provider, request_hash: 'h1' });
        const first = onSpan(nth('llm', 1), ask('openai'))(evidence);
        return onSpan(nth('llm', 2), ask('anthropic'))(first);
      }),
  },
];

function expects(own: Partial<NonNullable<Background['expect']>>): Background['expect'] {
  return { required: [], forbidden: [], before: [], max_calls: null, ...own };
}

/** The run's first tool span sixty times over, each a call of code. */
function manyCalls(evidence: TaskEvidence): TaskEvidence {
  const tool = evidence.spans.find(({ kind }) => kind === 'tool');
  if (tool === undefined) return evidence;
  const copies = Array.from({ length: 60 }, (_, i) => ({
    ...tool,
    span_id: `${i}`.padStart(16, 'b'),
    tool_call_id: '',
    start: tool.start + BigInt(i),
  }));
  const calls = new Set([
    ...evidence.calls,
    ...copies.map((copy) => `${copy.trace_id} ${copy.span_id}`),
  ]);
  return { ...evidence, spans: [...evidence.spans, ...copies], calls };
}

export const metadataMutations: readonly Mutation[] = [...ofSpans, ...ofTasks];
