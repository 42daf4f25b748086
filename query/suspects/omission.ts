import type { Call, Step, Trajectory } from '../decisions/model.ts';
import { effectOfName } from '../decisions/tools.ts';
import type { Scored } from './rank.ts';

const neverTried = 0.75;
const neverSucceeded = 0.5;

/**
 * The task failed and changed nothing, although tools that change something were offered: the decisive mistake may be
 * an action that is missing. It is put down to the decision from which the agent only talked, or that handed over.
 */
export function omission({ steps, calls }: Trajectory): Scored[] {
  const writes = calls.filter(({ effect }) => effect === 'write');
  if (writes.some(({ result }) => result.status === 'ok')) return [];
  const models = steps.filter(({ kind }) => kind === 'inference');
  const tools = [...new Set(models.flatMap(({ toolset }) => toolset?.tools ?? []))];
  const onOffer = tools.some((tool) => effectOfName(tool) === 'write');
  const step = turningPoint(models);
  if ((!onOffer && writes.length === 0) || step === undefined) return [];
  const weight = writes.length === 0 ? neverTried : neverSucceeded;
  const reasons = [
    {
      signal: 'nothing_was_done',
      text: explain(models, calls, writes, tools),
      spans: models.map(({ span_id }) => span_id),
      weight,
    },
    ...handoff(step, weight),
  ];
  return [{ step, score: weight, reasons }];
}

function explain(
  models: readonly Step[],
  calls: readonly Call[],
  writes: readonly Call[],
  tools: readonly string[],
): string {
  if (calls.length === 0)
    return `none of the ${tools.length} offered tools was called in ${models.length} decisions`;
  if (writes.length > 0)
    return `none of ${writes.length} state-changing calls succeeded in ${models.length} decisions`;
  const named = [...new Set(calls.map(({ tool }) => tool).filter((tool) => tool !== ''))];
  return `no state-changing tool was called in ${models.length} decisions, only ${named.slice(0, 5).join(', ')}`;
}

function handoff(step: Step, weight: number) {
  const target = step.chosen?.calls.find(({ handoffTo }) => handoffTo !== null)?.handoffTo;
  if (target === undefined || target === null) return [];
  const text = `handed off to ${target} instead of acting`;
  return [{ signal: 'handed_off', text, spans: [step.span_id], weight: weight / 10 }];
}

/** The handoff; else the first of the answers after which no tool was called, but not the opening one. */
function turningPoint(models: readonly Step[]): Step | undefined {
  const handed = models.findLast(({ chosen }) =>
    chosen?.calls.some(({ handoffTo }) => handoffTo !== null),
  );
  if (handed !== undefined) return handed;
  const lastCall = models.findLastIndex(({ chosen }) => (chosen?.calls.length ?? 0) > 0);
  const talk = models.slice(lastCall + 1);
  return (lastCall === -1 ? talk[1] : undefined) ?? talk[0] ?? models.at(-1);
}
