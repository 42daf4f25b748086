import { errorIn, shapeOf } from '../../../ingest/normalise/tool.ts';
import type { DecisionSpan, TaskEvidence } from '../../../query/decisions/evidence.ts';
import { type Background, noBackground, type Shapes } from '../../../query/findings/background.ts';
import {
  evidenceOf,
  type Ids,
  ownIds,
  type RecordedMessage,
  type RecordedRun,
} from '../../decisions/recorded-run.ts';

/** A call of a recorded run with its result and its places among the messages. */
export interface Turn {
  readonly at: number;
  /** Number of the decision among the run's decisions, from 0. */
  readonly decision: number;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly result: string;
  readonly failed: boolean;
}

/** The calls of a run, each with the result that follows it. */
export function turnsOf({ traj }: RecordedRun): Turn[] {
  let decision = -1;
  return traj.flatMap((message, at): Turn[] => {
    if (message.role === 'assistant') decision++;
    const made = message.tool_calls?.[0];
    const answer = traj[at + 1];
    if (made === undefined || answer?.role !== 'tool') return [];
    const result = answer.content ?? '';
    const args = JSON.parse(made.function.arguments) as Record<string, unknown>;
    const failed = errorIn(result) !== '';
    return [{ at, decision, tool: made.function.name, args, result, failed }];
  });
}

let serial = 0;

/** A call and its result as two messages; its id occurs nowhere else. */
export function exchange(tool: string, args: unknown, result: string): RecordedMessage[] {
  const id = `call_bench_${serial++}`;
  const made = { id, function: { name: tool, arguments: JSON.stringify(args) } };
  return [
    { role: 'assistant', content: null, tool_calls: [made] },
    { role: 'tool', content: result, tool_call_id: id, name: tool },
  ];
}

/** The run with `removed` messages from `at` on replaced. */
export function splice(
  run: RecordedRun,
  at: number,
  removed: number,
  ...added: RecordedMessage[]
): RecordedRun {
  return { ...run, traj: run.traj.toSpliced(at, removed, ...added) };
}

/** The decision that the message at `at` is, from 0. */
export function decisionAt({ traj }: RecordedRun, at: number): number {
  return traj.slice(0, at).filter(({ role }) => role === 'assistant').length;
}

/** The evidence of a run as ingest would have stored it: what it reads off contents is read by its own code. */
export function storedEvidence(run: RecordedRun, ids: Ids = ownIds(run)): TaskEvidence {
  const evidence = evidenceOf(run, ids);
  const spans = evidence.spans.map((span): DecisionSpan => {
    const [hash] = span.tool_result;
    const result = hash === undefined ? undefined : evidence.content.get(hash);
    if (span.kind !== 'tool' || result === undefined) return span;
    return {
      ...span,
      tool_error_by: errorIn(result),
      tool_result_shape: shapeOf(result),
      tool_result_bytes: Buffer.byteLength(result),
    };
  });
  return { ...evidence, spans };
}

/** What the days before would have taught: shapes of results, sizes and costs of tasks. Costs are simulated. */
export function learnFrom(runs: readonly RecordedRun[]): Background {
  const shapes = new Map<string, Map<string, number>>();
  for (const run of runs) {
    for (const { tool, result, failed } of turnsOf(run)) {
      if (failed) continue;
      const own = shapes.get(tool) ?? new Map<string, number>();
      const shape = shapeOf(result);
      own.set(shape, (own.get(shape) ?? 0) + 1);
      shapes.set(tool, own);
    }
  }
  const known = new Map(
    [...shapes].map(([tool, counts]): [string, Shapes] => [
      tool,
      { n: [...counts.values()].reduce((a, b) => a + b, 0), counts },
    ]),
  );
  const calls = runs.map((run) => turnsOf(run).length).toSorted((a, b) => a - b);
  const at = (share: number) => calls[Math.min(calls.length - 1, Math.floor(share * calls.length))];
  return {
    ...noBackground,
    startedAt: 1_763_632_820_000_000_000n,
    baseline: '2025-11-20',
    shapesOf: (tool) => known.get(tool) ?? null,
    windowOf: () => 128_000,
    calls: { n: runs.length, median: at(0.5) ?? 0, p99: at(0.99) ?? 0 },
    cost: { n: runs.length, median: 0.02, p99: 0.08 },
    costUsd: 0.02,
  };
}
