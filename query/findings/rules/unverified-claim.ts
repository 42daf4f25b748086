import { isFailure } from '../../decisions/edges.ts';
import type { Call, Step, Trajectory } from '../../decisions/model.ts';
import { cut, oneLine } from '../../decisions/wording.ts';
import type { Found, Rule } from '../rule.ts';

/**
 * The last answer that tells of something done ("I have cancelled …", "your booking has been updated") has no
 * successful call behind it: no call that may write succeeded before it, or, where the claim is a cancellation or a
 * refund, none whose name fits. With the task's state done this is a false success.
 * What an answer says of its own text ("I've added a summary below") claims nothing.
 * Blind spots: claims in other languages; writes that code made without a span; a call of unknown effect counts as a
 * write; claims about amounts and details.
 */
export const unverifiedClaim: Rule = {
  id: 'unverified_claim',
  version: 2,
  class: 'judgement',
  severity: 'error',
  level: 'C',
  parameters: {},
  find: (trajectory): Found[] => {
    const { steps, task } = trajectory;
    for (const step of steps.toReversed()) {
      const claim = claimOf(step);
      if (claim === null) continue;
      const wrote = writesBefore(trajectory, step);
      const fitting = wrote.filter(({ tool }) => fits(tool, claim.verb));
      if (fitting.length > 0) return [];
      const done = task.state === 'done' ? ' although the task ended as done' : '';
      const instead =
        wrote.length === 0
          ? 'no call that writes had succeeded'
          : `of the calls that write only ${names(wrote)} had succeeded`;
      const text = `the answer says "${cut(oneLine(claim.sentence), 120)}", but ${instead}${done}`;
      const spans = [step.span_id, ...wrote.flatMap(({ result }) => result.span?.span_id ?? [])];
      return [{ step, spans: spans.slice(0, 20), text }];
    }
    return [];
  },
};

const verbs =
  'cancel(?:l)?ed|refunded|booked|updated|changed|modified|created|deleted|removed|sent|emailed|submitted|issued|scheduled|rescheduled|purchased|upgraded|replaced|reset|added|placed|credited';
const adverbs = '(?:now |just |already |successfully |also |all )*';
const claims = [
  `\\bI(?:['’]ve| have)? ${adverbs}(${verbs})\\b`,
  `\\byour (?:[^\\s!?;]+ ){1,6}(?:has|have) ${adverbs}been ${adverbs}(${verbs})\\b`,
  `\\b(?:has|have) been successfully (${verbs})\\b`,
].map((pattern) => new RegExp(pattern, 'i'));
// A sentence that denies, asks or plans claims nothing.
const notDone =
  /\b(?:not|never|unable|cannot|can't|once|if|when|whether|would|will|before|unless|should|must|could|any)\b|n['’]t\b|\?\s*$/i;

const itself =
  /\b(?:updated|changed|modified|created|added|removed|replaced|placed) (?:\w+ ){0,4}?(?:understanding|mind|answer|response|reply|summary|overview|list|table|draft|outline|plan|note|notes|explanation|example|section|comparison|version|code|above|below)\b/i;

interface Claim {
  readonly sentence: string;
  readonly verb: string;
}

function claimOf({ chosen, kind }: Step): Claim | null {
  const text = chosen?.answer?.type === 'answer' ? chosen.answer.text : null;
  if (kind !== 'inference' || text === null || text === undefined) return null;
  for (const sentence of text.slice(0, 20_000).split(/(?<=[.!?])\s+|\n+/)) {
    if (notDone.test(sentence)) continue;
    for (const pattern of claims) {
      const match = pattern.exec(sentence);
      const verb = match?.[1];
      // What an answer says of itself: what it wrote down, or thinks.
      if (match !== null && itself.test(sentence.slice(match.index))) continue;
      if (verb !== undefined) return { sentence, verb: verb.toLowerCase() };
    }
  }
  return null;
}

/** Calls that may have changed something and succeeded before the answer; a result of unknown fate counts. */
function writesBefore({ calls }: Trajectory, step: Step): Call[] {
  return calls.filter(
    (call) =>
      call.effect !== 'read' &&
      !isFailure(call) &&
      !['denied', 'missing'].includes(call.result.status) &&
      (call.step?.start ?? call.result.span?.start ?? 0n) < step.start,
  );
}

// Only what is never done by a tool of another name: an update may well be a booking. First words of a tool's parts.
const families: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^cancel/,
    /(^|_)(cancel|delete|remove|void|terminate|end|stop|close|abort|revoke|refund|update)/,
  ],
  [
    /^(refunded|credited)/,
    /(^|_)(refund|credit|pay|return|certificate|compensat|cancel|reimburs|update)/,
  ],
];

function fits(tool: string, verb: string): boolean {
  const name = tool.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const family = families.find(([claim]) => claim.test(verb));
  // Of a tool whose name promises nothing nobody knows what it did.
  if (
    family === undefined ||
    !/^(book|create|send|write|post|add|notify|email|set|insert)/.test(name)
  )
    return true;
  return family[1].test(name);
}

function names(calls: readonly Call[]): string {
  return [...new Set(calls.map(({ tool }) => tool))].slice(0, 3).join(', ');
}
