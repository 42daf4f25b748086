import type { Trajectory } from '../decisions/model.ts';
import { isScratchTool } from '../decisions/tools.ts';

/** Tools that plans named, and how many of them were called in that order. */
export interface PlanAdherence {
  readonly planned: number;
  readonly followed: number;
}

// A longer plan, or a longer run, is judged by its beginning: the comparison takes the product of both.
const maxPlanned = 100;
const maxCalled = 2_000;

/**
 * How far declared plans were followed: the longest common subsequence of the tools that they name, in the order of their
 * first mention, and the tools that were called successfully after them. A plan that names no tool says nothing. A later
 * plan replaces an earlier one from its time on.
 */
export function planAdherence({ steps, calls }: Trajectory): PlanAdherence {
  const plans = steps.filter(({ kind, topic }) => kind === 'declared' && topic === 'plan');
  const names = new Set(calls.map(({ tool }) => tool));
  for (const { toolset } of steps) for (const name of toolset?.tools ?? []) names.add(name);
  names.delete('');
  let planned = 0;
  let followed = 0;
  for (const [i, plan] of plans.entries()) {
    const wanted = toolsIn(plan.chosen?.value ?? '', names).slice(0, maxPlanned);
    const until = plans[i + 1]?.start;
    const called = calls
      .filter(({ step, result, tool }) => {
        const at = step?.start ?? result.span?.start ?? 0n;
        const own = at >= plan.start && (until === undefined || at < until);
        return own && result.status === 'ok' && !isScratchTool(tool);
      })
      .slice(0, maxCalled)
      .map(({ tool }) => tool);
    planned += wanted.length;
    followed += commonLength(wanted, called);
  }
  return { planned, followed };
}

/** The names that stand in a text as whole words, in the order of their first mention. */
function toolsIn(text: string, names: ReadonlySet<string>): string[] {
  const words = text.match(/[\p{L}\p{N}_.-]+/gu) ?? [];
  return [...new Set(words.filter((word) => names.has(word)))];
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  let before = new Array<number>(b.length + 1).fill(0);
  for (const one of a) {
    const row = [0];
    for (const [j, other] of b.entries()) {
      const same = (before[j] ?? 0) + 1;
      row.push(one === other ? same : Math.max(before[j + 1] ?? 0, row[j] ?? 0));
    }
    before = row;
  }
  return before.at(-1) ?? 0;
}
