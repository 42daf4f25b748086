import type { Attributes, Context } from '@opentelemetry/api';
import { foreignToolEnded, foreignToolStarted } from './foreign-tool.ts';
import { attempt } from './guard.ts';
import { activeTask } from './task-context.ts';

interface WritableSpan {
  readonly attributes: Attributes;
  readonly instrumentationScope?: { readonly name: string };
  setAttributes(attributes: Attributes): unknown;
}

interface WritableRecord {
  readonly attributes: Record<string, unknown>;
  setAttributes(attributes: Attributes): unknown;
}

/**
 * Puts the task's attributes on every span that starts in it, also on those of other instrumentations. Add it to a
 * provider of your own: `new NodeSDK({ spanProcessors: [new TaskSpanProcessor(), …] })`. It exports nothing.
 */
export class TaskSpanProcessor {
  onStart(span: WritableSpan, at: Context): void {
    attempt('span.task', () => {
      const task = activeTask(at);
      if (task && span.attributes['agent.task.id'] === undefined) {
        span.setAttributes(task.attributes);
      }
      foreignToolStarted(span);
    });
  }
  /** A tool span of somebody else answers the model's call: none is inferred for it. */
  onEnd(span: Omit<WritableSpan, 'setAttributes'>): void {
    attempt('span.tool', () => foreignToolEnded(span));
  }
  forceFlush(): Promise<void> {
    return Promise.resolve();
  }
  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** {@link TaskSpanProcessor} for log records; it must stand before the processor that exports. */
export class TaskLogProcessor {
  onEmit(record: WritableRecord, at?: Context): void {
    attempt('log.task', () => {
      const task = at && activeTask(at);
      if (task && record.attributes['agent.task.id'] === undefined) {
        record.setAttributes(task.attributes);
      }
    });
  }
  forceFlush(): Promise<void> {
    return Promise.resolve();
  }
  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
