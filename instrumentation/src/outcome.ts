import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { known } from './attributes.ts';
import { spoken } from './content.ts';
import { emitLog } from './event.ts';
import { attempt } from './guard.ts';

export interface Outcome {
  readonly outcome: 'success' | 'failure' | 'unknown';
  readonly score?: number | undefined;
  readonly reason?: string | undefined;
  /** Where the verdict comes from; the strongest is `explicit`, the default. */
  readonly source?: 'explicit' | 'feedback' | 'evaluation' | 'inferred' | undefined;
  readonly by?: string | undefined;
  /** Of another task than the active one. */
  readonly taskId?: string | undefined;
  /** Of the task with this ticket, order or pull request, instead of the active one. */
  readonly ref?: string | undefined;
}

/** Says whether the task was right. That it ended is its state; a task can be done and wrong. */
export function outcome(verdict: Outcome): void {
  attempt('outcome', () => {
    const { outcome: value, score, reason, source = 'explicit', by, taskId, ref } = verdict;
    emitLog(
      'agent.outcome',
      known({
        'agent.outcome': value,
        'agent.outcome.score': score,
        'agent.outcome.reason': spoken(reason, 'agent.outcome.reason'),
        'agent.outcome.source': source,
        'agent.outcome.by': by,
        'agent.task.id': taskId,
        'agent.task.ref': ref,
      }),
      // Said about another task, it must not carry this one's trace and names.
      taskId === undefined && ref === undefined ? context.active() : ROOT_CONTEXT,
    );
  });
}
