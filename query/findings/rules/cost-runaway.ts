import type { Rule } from '../rule.ts';

/**
 * The task cost several times the median of its workflow's successes, as learnt from the days before.
 * Blind spots: unpriced models (their part is left out); workflows with fewer successes than the floor; a workflow
 * whose tasks differ in size by nature.
 */
export const costRunaway: Rule = {
  id: 'cost_runaway',
  version: 1,
  class: 'judgement',
  severity: 'warn',
  level: 'M',
  parameters: { times_median: 5, minimum_usd: 0.05, minimum_successes: 50 },
  find: ({ steps, task }, parameters, { costUsd, cost, baseline }) => {
    const { times_median = 5, minimum_usd = 0.05, minimum_successes = 50 } = parameters;
    if (costUsd === null || cost === null || cost.n < minimum_successes) return [];
    if (costUsd <= minimum_usd || costUsd <= times_median * cost.median) return [];
    const dearest = steps.toSorted((a, b) => (b.cost_usd ?? 0) - (a.cost_usd ?? 0)).slice(0, 3);
    const [step = null] = dearest;
    if (step === null) return [];
    const times = cost.median > 0 ? `${(costUsd / cost.median).toFixed(1)} times ` : 'more than ';
    const text = `$${costUsd.toFixed(4)} is ${times}the median of ${cost.n} successes of ${task.workflow ?? 'its workflow'}, $${cost.median.toFixed(4)}; the dearest decision is #${step.n}`;
    const spans = dearest.map(({ span_id }) => span_id);
    return [{ step, spans, text, detail: { baseline, median_usd: cost.median } }];
  },
};
