import type { TaskSpan } from './telemetry.ts';

/**
 * Milliseconds lost to rate limits: from the end of a refused call to the next call of the same parent.
 * `calls` are model spans in order of start.
 */
export function rateLimitedMs(calls: readonly TaskSpan[]): number {
  const refused = new Map<string, TaskSpan>();
  let total = 0;
  for (const span of calls) {
    const key = `${span.trace_id} ${span.parent_id}`;
    const before = refused.get(key);
    if (before !== undefined && span.start > before.end && before.end > 0n) {
      total += Number(span.start - before.end) / 1e6;
    }
    if (isRateLimit(span)) refused.set(key, span);
    else refused.delete(key);
  }
  return total;
}

function isRateLimit(span: TaskSpan): boolean {
  return span.status === 'error' && /\b429\b|rate.?limit/i.test(span.error_type);
}
