import { kindOf, type Message, type Run } from './who-and-when.ts';

/** Message numbers, most suspect first. */
export type Ranking = readonly number[];

/**
 * Acting order by its own definition (BEHAVIOUR §4), written apart from the ranking: messages of models with a code block
 * or, in a team with a leader, messages of its workers, earliest first; then the other messages of models.
 */
export function actingOrderOf({ messages }: Run): Ranking {
  const led = isLed(messages);
  const acts = ({ speaker, text }: Message) =>
    led ? !speaker.startsWith('Orchestrator') : text.includes('```');
  const models = numbersOf(messages, (message) => kindOf(message) === 'model');
  const acting = models.filter((i) => acts(messages[i] ?? { speaker: '', text: '' }));
  return [...acting, ...models.filter((i) => !acting.includes(i))];
}

function isLed(messages: readonly Message[]): boolean {
  return messages.some(({ speaker }) => speaker.includes(' (-> '));
}

export function lastSteps({ messages }: Run): Ranking {
  return [...messages.keys()].reverse();
}

/** The first message that speaks of an error, and what follows it. */
export function firstErrors({ messages }: Run): Ranking {
  const first = messages.findIndex(
    (message) =>
      kindOf(message) !== 'human' &&
      /\b(?:errors?|exception|traceback|failed|failure)\b/i.test(message.text),
  );
  return first === -1 ? [] : [...messages.keys()].slice(first);
}

function numbersOf(messages: readonly Message[], fits: (message: Message) => boolean): number[] {
  return messages.flatMap((message, i) => (fits(message) ? [i] : []));
}

/** The message numbers that are marked most often in other runs. */
export function constant(marked: readonly number[]): Ranking {
  const counts = new Map<number, number>();
  for (const step of marked) counts.set(step, (counts.get(step) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || a[0] - b[0]).map(([step]) => step);
}
