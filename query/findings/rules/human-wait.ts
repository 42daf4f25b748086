import type { Rule } from '../rule.ts';

/**
 * The task was blocked on a person for long.
 * Blind spots: waits that no state or approval record tells of, such as a chat that waits for its user.
 */
export const humanWait: Rule = {
  id: 'human_wait',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: { seconds: 60 },
  find: ({ steps, spans, approvals, task }, parameters, { humanWaitMs }) => {
    const least = parameters['seconds'] ?? 60;
    if (humanWaitMs < least * 1000) return [];
    const asked = new Set(approvals.map(({ step }) => step));
    const waited = steps.filter(({ id }) => asked.has(id));
    const evidence = waited.length > 0 ? waited : spans.slice(0, 1);
    const of = task.duration_ms === null ? '' : ` of ${minutes(task.duration_ms)}`;
    const text = `${minutes(humanWaitMs)}${of} were spent waiting for a person`;
    const ids = evidence.map(({ span_id }) => span_id);
    return ids.length === 0 ? [] : [{ step: waited[0] ?? null, spans: ids, text }];
  },
};

function minutes(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}
