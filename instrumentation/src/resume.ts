import { diag, trace } from '@opentelemetry/api';
import { guard } from './guard.ts';
import { readToken } from './resume-token.ts';
import { scope } from './runtime.ts';
import { runTask, type Task, withTask } from './task.ts';
import { newTask } from './task-context.ts';

/**
 * Continues a suspended task: the same id and attempt in a new trace that is linked to the old one, running again. A token
 * that cannot be read still runs `fn`, as a task of its own in the workflow `unknown`.
 */
export function resumeTask<T>(token: string, fn: (task: Task) => T): T {
  const suspension = guard('task.resume', () => readToken(token), undefined);
  if (!suspension) {
    diag.warn(`${scope.name}: not a token of task.suspend(); running as a new task`);
    return withTask({ workflow: 'unknown' }, fn);
  }
  const { identity, from } = suspension;
  const here = trace.getActiveSpan()?.spanContext().traceId;
  return runTask(
    newTask(identity, 'owned'),
    {
      // Another trace even when it is resumed where it was suspended: a wait of days is not one trace.
      root: here !== undefined && here === from?.traceId,
      ...(from && { links: [{ context: from, attributes: { 'link.type': 'resumed_from' } }] }),
      transition: { resumedFrom: from && `${from.traceId}-${from.spanId}` },
    },
    fn,
  );
}
