import type { Rule } from '../rule.ts';

/**
 * An earlier task of the same workflow has the same idempotency key: the same work was taken on twice.
 * Blind spots: keys that are not sent; the earlier of the two is not marked, nor a pair further apart than 72 h.
 */
export const duplicateTask: Rule = {
  id: 'duplicate_task',
  version: 1,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: { hours: 72 },
  find: ({ steps, spans }, parameters, { twins, startedAt }) => {
    const reach = BigInt(Math.round((parameters['hours'] ?? 72) * 3600)) * 1_000_000_000n;
    const earlier = twins
      .filter(({ started_at }) => started_at <= startedAt && startedAt - started_at <= reach)
      .toSorted((a, b) => (a.started_at < b.started_at ? -1 : 1));
    const [first] = earlier;
    const evidence = spans[0];
    if (first === undefined || evidence === undefined) return [];
    const text = `the task ${first.task_id} began earlier with the same idempotency key ${first.key}`;
    const detail = { tasks: earlier.slice(0, 10).map(({ task_id }) => task_id) };
    return [{ step: steps[0] ?? null, spans: [evidence.span_id], text, detail }];
  },
};
