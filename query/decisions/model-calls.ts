import { type DecisionSpan, spanKey } from './evidence.ts';
import type { SpanTree } from './span-tree.ts';

/** One call of a model as the agent meant it: the attempts that failed, then the one that answered. */
export interface ModelCall {
  readonly attempts: readonly DecisionSpan[];
  readonly span: DecisionSpan;
}

/** The logical model calls of a task in order of start: counted inference spans, retries folded. */
export function modelCalls(tree: SpanTree, counted: ReadonlySet<string>): ModelCall[] {
  return foldAttempts(
    tree.sorted.filter((span) => span.kind === 'llm' && counted.has(spanKey(span))),
  );
}

/** A failed call followed by one with the same request under the same parent is an attempt of it. */
function foldAttempts(models: readonly DecisionSpan[]): ModelCall[] {
  const open = new Map<string, DecisionSpan[]>();
  const calls: DecisionSpan[][] = [];
  for (const span of models) {
    // The key is long: it is made only where an attempt is open or begins.
    const key = open.size > 0 || failed(span) ? requestKey(span) : null;
    const attempts = key === null ? undefined : open.get(key);
    const last = attempts?.at(-1);
    if (attempts !== undefined && last !== undefined && last.end <= span.start) {
      attempts.push(span);
      if (key !== null && !failed(span)) open.delete(key);
      continue;
    }
    const fresh = [span];
    calls.push(fresh);
    if (key !== null && failed(span)) open.set(key, fresh);
  }
  return calls.map((attempts) => ({ attempts, span: attempts.at(-1) as DecisionSpan }));
}

function failed(span: DecisionSpan): boolean {
  return (span.status === 'error' || span.error_type !== '') && span.output_messages.length === 0;
}

/** What makes two calls the same request: the reported hash, else model and input. */
function requestKey(span: DecisionSpan): string | null {
  const own = `${span.trace_id} ${span.parent_id}`;
  if (span.request_hash !== '') return `${own} ${span.request_hash}`;
  if (span.input_messages.length === 0) return null;
  return `${own} ${span.request_model} ${span.system_instructions.join()} ${span.input_messages.join()}`;
}
