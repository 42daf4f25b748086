import type { SuspectReason } from '../decisions/answer.ts';
import type { Call, Step, Trajectory } from '../decisions/model.ts';
import { effectOfName } from '../decisions/tools.ts';

/** An action that is missing, put down to a decision. */
export interface Omission {
  readonly step: Step;
  readonly reasons: readonly SuspectReason[];
}

/**
 * The task failed and changed nothing, although tools that change something were offered: the decisive mistake may be
 * an action that is missing. It is put down to the decision from which the agent only talked, or that handed over.
 */
export function omission({ steps, calls }: Trajectory): Omission | null {
  const writes = calls.filter(({ effect }) => effect === 'write');
  if (writes.some(({ result }) => result.status === 'ok')) return null;
  const models = steps.filter(({ kind }) => kind === 'inference');
  const tools = [...new Set(models.flatMap(({ toolset }) => toolset?.tools ?? []))];
  const onOffer = tools.some((tool) => effectOfName(tool) === 'write');
  const step = turningPoint(models);
  if ((!onOffer && writes.length === 0) || step === undefined) return null;
  const reasons = [
    {
      signal: 'nothing_was_done',
      text: explain(models, calls, writes, tools),
      spans: models.map(({ span_id }) => span_id),
    },
    ...handoff(step),
    ...sameRequest(step, models),
  ];
  return { step, reasons };
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

function handoff(step: Step): SuspectReason[] {
  const target = step.chosen?.calls.find(({ handoffTo }) => handoffTo !== null)?.handoffTo;
  if (target === undefined || target === null) return [];
  const text = `handed off to ${target} instead of acting`;
  return [{ signal: 'handed_off', text, spans: [step.span_id] }];
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

// Fewer answers than this do not make a circle.
const leastAnswers = 3;

/** Answers from the turning point on that nearly all ask for the same thing: two words in a row that they share. */
function sameRequest(step: Step, models: readonly Step[]): SuspectReason[] {
  const answers = models
    .slice(models.indexOf(step))
    .filter(({ chosen }) => chosen?.answer?.type === 'answer');
  const held = new Map<string, Step[]>();
  for (const own of answers) {
    for (const pair of wordPairs(own.chosen?.answer?.text ?? '')) {
      const list = held.get(pair);
      if (list === undefined) held.set(pair, [own]);
      else list.push(own);
    }
  }
  const [most] = [...held].toSorted(
    ([a, own], [b, other]) => other.length - own.length || b.length - a.length || (a < b ? -1 : 1),
  );
  if (most === undefined || most[1].length < Math.max(leastAnswers, 0.7 * answers.length))
    return [];
  const [words, steps] = most;
  const text = `${steps.length} of its ${answers.length} answers from here on come back to “${words}”`;
  return [
    { signal: 'same_request_repeated', text, spans: steps.slice(0, 20).map((own) => own.span_id) },
  ];
}

const common = new Set(
  'about also and any are but can could for from have help here how i’m just know let like more need please provide should thank thanks that the them then there this what when will with would you your'.split(
    ' ',
  ),
);

function wordPairs(text: string): Set<string> {
  const words =
    text
      .slice(0, 5_000)
      .toLowerCase()
      .match(/[\p{L}\p{N}’']+/gu) ?? [];
  const telling = (word: string | undefined) =>
    word !== undefined && word.length > 1 && !common.has(word);
  return new Set(
    words.flatMap((word, i) =>
      telling(word) && word.length > 3 && telling(words[i + 1]) ? [`${word} ${words[i + 1]}`] : [],
    ),
  );
}
