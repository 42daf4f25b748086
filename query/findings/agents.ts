import type { Step, Trajectory } from '../decisions/model.ts';
import type { TreeSpan } from '../traces/tree.ts';
import { criticalTimes } from '../traces/tree.ts';

/** One agent's part in a task. */
export interface AgentPart {
  readonly agent: string | null;
  /** The agent that handed over or delegated to it first; null for the one that began. */
  readonly from: string | null;
  readonly decisions: number;
  readonly tool_calls: number;
  /** Null when a decision's cost is not known. */
  readonly cost_usd: number | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Time of its model and tool spans in which nothing else decided when the task ended. */
  readonly critical_ms: number;
}

/** A decision's share of the time in which nothing else decided when the task ended. */
export interface CriticalPart {
  readonly decision: string;
  readonly n: number;
  readonly model_ms: number;
  readonly tool_ms: number;
}

/** Time on the critical path by decision: of its model spans, and of the tools that it called. */
export function criticalParts({ steps, spans }: Trajectory): CriticalPart[] {
  const times = criticalTimes<TreeSpan>(spans);
  const sum = (own: readonly (TreeSpan | null)[]) =>
    own.reduce((ms, span) => ms + (span === null ? 0 : (times.get(span) ?? 0)), 0);
  return steps
    .filter(({ kind }) => kind === 'inference')
    .map((step) => ({
      decision: step.id,
      n: step.n,
      model_ms: sum(step.attempts),
      tool_ms: sum((step.chosen?.calls ?? []).map(({ result }) => result.span)),
    }));
}

/** The agents in the order in which they first decided. */
export function agentParts(trajectory: Trajectory, critical: readonly CriticalPart[]): AgentPart[] {
  const ms = new Map(critical.map((part) => [part.decision, part.model_ms + part.tool_ms]));
  const from = origins(trajectory);
  const groups = new Map<string | null, Step[]>();
  for (const step of trajectory.steps) {
    if (step.kind !== 'inference') continue;
    const group = groups.get(step.agent);
    if (group === undefined) groups.set(step.agent, [step]);
    else group.push(step);
  }
  return [...groups].map(([agent, steps]) => ({
    agent,
    from: from.get(agent) ?? null,
    decisions: steps.length,
    tool_calls: total(steps, ({ chosen }) => chosen?.calls.length ?? 0),
    cost_usd: steps.some(({ cost_usd }) => cost_usd === null)
      ? null
      : total(steps, ({ cost_usd }) => cost_usd ?? 0),
    input_tokens: total(steps, ({ span }) => span?.input_tokens ?? 0),
    output_tokens: total(steps, ({ span }) => span?.output_tokens ?? 0),
    critical_ms: total(steps, ({ id }) => ms.get(id) ?? 0),
  }));
}

function total(steps: readonly Step[], of: (step: Step) => number): number {
  return steps.reduce((sum, step) => sum + of(step), 0);
}

/** Who handed over or delegated to each agent first. */
function origins({ steps, calls, edges }: Trajectory): Map<string | null, string | null> {
  const byStep = new Map(steps.map((step) => [step.id, step]));
  const byCall = new Map(calls.map((call) => [call.id, call.step]));
  const found = new Map<string | null, string | null>();
  for (const { type, from, to } of edges) {
    if (type !== 'handed_off' && type !== 'delegated') continue;
    const target = byStep.get(to)?.agent ?? null;
    const giver = byCall.get(from)?.agent ?? null;
    if (target !== giver && !found.has(target)) found.set(target, giver);
  }
  return found;
}
