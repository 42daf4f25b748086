import type { SuspectReason } from '../decisions/answer.ts';
import { leavesOf } from '../decisions/json.ts';
import type { Step, Trajectory } from '../decisions/model.ts';
import { cut, oneLine } from '../decisions/wording.ts';
import { callsTool } from './acting.ts';

/** Says of a step what speaks against it, or, for signals with a negative weight, for it. */
export type Say = (step: Step, reason: SuspectReason) => void;

/** What the words of the steps say: each step is compared with the request and with all content before it. */
export function sayWords({ steps }: Trajectory, say: Say) {
  const models = steps.filter(({ kind }) => kind === 'inference');
  const request = requestOf(models);
  const said = models.map(wordsOf);
  const stated = said.some(({ prose }) => /\d\d/.test(prose));
  const known = numbersOf(request ?? '');
  models.forEach((step, i) => {
    const words = said[i] ?? nothing;
    if (request !== null) judgeRequest(step, words, request, i === 0, say);
    const doubt = madeUp.exec(words.all)?.[0];
    if (doubt !== undefined)
      say(step, reason(step, 'made_up_data', `says that it makes do with “${oneLine(doubt)}”`));
    // Only a number that someone states must be looked for.
    if (stated) learnSeen(step, known);
    sayInvented(step, words.prose, known, say);
    const answer = models[i + 1];
    const objection = objectionIn(said[i + 1]?.prose ?? '');
    if (answer !== undefined && objection !== null) {
      const text = `the next decision takes it back: “${cut(oneLine(objection), 100)}”`;
      say(step, reason(step, 'taken_back', text, answer));
    }
    if (stated) learnDone(step, words.all, known);
  });
}

function reason(step: Step, signal: string, text: string, witness?: Step): SuspectReason {
  const spans = witness === undefined ? [step.span_id] : [step.span_id, witness.span_id];
  return { signal, text, spans };
}

/** The first thing that a user said. */
function requestOf(models: readonly Step[]): string | null {
  for (const { informed } of models)
    for (const { kind, text } of informed ?? []) if (kind === 'user' && text) return text;
  return null;
}

interface Words {
  /** What was said beside the calls. */
  readonly prose: string;
  /** With the arguments of calls. */
  readonly all: string;
}

const nothing: Words = { prose: '', all: '' };

// Longer output is judged by its beginning.
const maxCharacters = 50_000;

function wordsOf({ why, chosen }: Step): Words {
  const said = (why ?? []).filter(({ kind }) => kind === 'text').map(({ text }) => text ?? '');
  const prose = [...said, chosen?.answer?.text ?? ''].join('\n').slice(0, maxCharacters);
  const given = (chosen?.calls ?? []).flatMap(({ args }) =>
    typeof args === 'string' ? [args] : leavesOf(args).map(({ value }) => String(value)),
  );
  return { prose, all: `${prose}\n${given.join('\n').slice(0, maxCharacters)}` };
}

// A request of fewer characters is not told apart from small talk.
const leastRequest = 40;
const leastWords = 20;
const lostShare = 0.25;

function judgeRequest(step: Step, words: Words, request: string, first: boolean, say: Say) {
  if (first) {
    const asked = [...vocabulary(request)];
    const own = vocabulary(words.all);
    const kept = asked.filter((word) => own.has(word)).length;
    if (own.size >= leastWords && kept < lostShare * asked.length) {
      const text = `works on something else: it takes up ${kept} of the ${asked.length} words of the request`;
      say(step, reason(step, 'goal_lost', text));
    }
  }
  if (request.length <= leastRequest || callsTool(step)) return;
  if (plain(words.all).includes(plain(request).slice(0, 150)))
    say(step, reason(step, 'request_restated', 'only hands the request on'));
}

function vocabulary(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu));
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').toLowerCase();
}

// Words with which agents admit that their data is not the real one.
const madeUp =
  /\b(?:placeholders?|simulat\w+|hypothetical\w*|mock\w*|dummy|sample data|example data|fictional|general knowledge|your[_ ]api\w*|assum(?:e|es|ed|ing|ptions?))\b|path\/to/i;

/** Numbers that the answer states although no message, result or argument before it holds them. */
function sayInvented(step: Step, prose: string, known: ReadonlySet<string>, say: Say) {
  const fresh = [...numbersOf(prose)].filter(
    (number) => number.replace(/\D/g, '').length >= 2 && !known.has(number),
  );
  if (fresh.length === 0) return;
  const named = fresh.slice(0, 3).join(', ');
  const more = fresh.length > 3 ? ` and ${fresh.length - 3} more` : '';
  const verb = fresh.length === 1 ? 'occurs' : 'occur';
  const text = `states ${named}${more}, which ${verb} in nothing it had seen`;
  say(step, reason(step, 'unsourced_statement', text));
}

// Not the parts of a date, a time or a version.
const numeral = /(?<![\p{L}\p{N}_.])(?<!\d[-./:])\d[\d,]*(?:\.\d+)?(?![\p{L}\p{N}_])(?![-./:]\d)/gu;

function numbersOf(text: string): Set<string> {
  return new Set((text.match(numeral) ?? []).map((number) => number.replaceAll(',', '')));
}

// A year that stands in a date is known.
const year = /(?<!\d)(?:19|20)\d\d(?!\d)/g;

/** What a step could know: all that it was told for the first time. */
function learnSeen({ informed }: Step, known: Set<string>) {
  for (const { text } of informed ?? []) learn(text ?? '', known);
}

/** What the next steps can know: what this one said, and the results of its calls. */
function learnDone({ chosen }: Step, said: string, known: Set<string>) {
  learn(said, known);
  for (const { result } of chosen?.calls ?? []) learn(result.text ?? '', known);
}

function learn(text: string, known: Set<string>) {
  for (const number of numbersOf(text)) known.add(number);
  for (const number of text.match(year) ?? []) known.add(number);
}

const objection =
  /^\W*(?:it (?:appears|seems|looks)|there (?:is|was|seems)|apolog|sorry|my apolog|unfortunately|given the)[^.]{0,140}?(?:error|issue|incorrect|mistake|not |n['’]t|miscalc|fail|problem|mismatch|discrep|missing|unable)[^.\n]*/i;

function objectionIn(prose: string): string | null {
  return objection.exec(prose.trimStart().slice(0, 300))?.[0] ?? null;
}

/** What came of the calls: whose results were used later, and the first use of each further tool. */
export function sayUse({ steps, calls }: Trajectory, say: Say) {
  const byCall = new Map(calls.map((call) => [call.id, call]));
  const tools = new Set<string>();
  let results = 0;
  for (const step of steps) {
    if (step.kind !== 'inference') continue;
    for (const call of step.chosen?.calls ?? []) {
      for (const { from } of call.sources ?? []) {
        const origin = byCall.get(from)?.step;
        if (origin != null && origin !== step)
          say(origin, reason(origin, 'result_used', `#${step.n} used its result`, step));
      }
      if (call.handoffTo !== null) continue;
      if (results > 0 && !tools.has(call.tool))
        say(step, reason(step, 'first_of_tool', `first use of ${oneLine(call.tool)}`));
      tools.add(call.tool);
    }
    for (const { result } of step.chosen?.calls ?? []) if (result.text) results++;
  }
}
