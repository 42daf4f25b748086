import type { Step, Trajectory } from '../decisions/model.ts';
import { isScratchTool } from '../decisions/tools.ts';

/**
 * The model steps of a task in acting order (BEHAVIOUR §4): those that act, earliest first, then the others. A step acts
 * when it calls a tool, other than to think, to calculate or to hand over, or when it is the work of an agent to which
 * another one handed over.
 */
export function actingOrder({ steps, edges }: Trajectory): Step[] {
  const models = steps.filter(({ kind }) => kind === 'inference');
  const workers = workingAgents(models, edges);
  const acts = (step: Step) => callsTool(step) || workers.has(step.agent);
  return [...models.filter(acts), ...models.filter((step) => !acts(step))];
}

/** Whether a step calls a tool that does something in the world. */
export function callsTool({ chosen }: Step): boolean {
  return (chosen?.calls ?? []).some(
    ({ tool, handoffTo }) => handoffTo === null && !isScratchTool(tool),
  );
}

/** Agents that work for another one: what was handed over or delegated to them is theirs to do. */
function workingAgents(models: readonly Step[], edges: Trajectory['edges']): Set<string | null> {
  const byId = new Map(models.map((step) => [step.id, step]));
  const given = edges.filter(({ type }) => type === 'handed_off' || type === 'delegated');
  const workers = new Set(given.flatMap(({ to }) => byId.get(to)?.agent ?? []));
  const [first] = models;
  return new Set([...workers].filter((agent) => agent !== first?.agent));
}
