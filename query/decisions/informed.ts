import type { ContentKind } from './answer.ts';
import type { Link, Seen } from './chain.ts';
import type { Message, Part } from './message.ts';
import type { Call, Content, Step } from './model.ts';

/** Finds the call that a tool message answers; ids repeat inside a task, so the place in the chain decides. */
export interface CallIndex {
  readonly add: (calls: readonly Call[]) => void;
  readonly answeredBy: (callId: string, nth: number, step: Step) => Call | null;
}

export function indexCalls(): CallIndex {
  const byId = new Map<string, Call[]>();

  function add(calls: readonly Call[]) {
    for (const call of calls) {
      const list = byId.get(call.call_id);
      if (list === undefined) byId.set(call.call_id, [call]);
      else list.push(call);
    }
  }

  /** The call of the previous decision with this id, else the latest one; without an id the nth call made. */
  function answeredBy(callId: string, nth: number, step: Step): Call | null {
    const last = step.prev?.chosen?.calls ?? [];
    if (callId === '') return last[nth] ?? null;
    const own = last.find(({ call_id }) => call_id === callId);
    if (own !== undefined) return own;
    const earlier = byId.get(callId) ?? [];
    return (
      earlier.findLast((call) => (call.step?.end ?? call.step?.start ?? 0n) <= step.start) ?? null
    );
  }

  return { add, answeredBy };
}

/** What a decision saw for the first time, each tool result by its call; null when the input is not known. */
export function informedBy(step: Step, link: Link, calls: CallIndex): Content[] | null {
  if (link.fresh === null) return null;
  const contents: Content[] = [];
  let results = 0;
  for (const fresh of link.fresh) {
    for (const piece of piecesOf(fresh)) {
      const call = piece.result ? calls.answeredBy(piece.callId, results++, step) : null;
      contents.push({
        id: call?.id ?? `${step.id}.m${contents.length}`,
        kind: piece.kind,
        text: piece.text,
        own: piece.own,
        call,
      });
    }
  }
  return contents;
}

interface Piece {
  readonly kind: ContentKind;
  readonly text: string | null;
  readonly own: boolean;
  readonly result: boolean;
  readonly callId: string;
}

/** A message is one piece, but every tool result in it is one of its own. */
function piecesOf({ message }: Seen): Piece[] {
  const plain = { own: false, result: false, callId: '' };
  if (message === undefined) return [{ ...plain, kind: 'other', text: null }];
  const results = message.parts
    .filter(({ type }) => type === 'tool_result')
    .map(
      ({ text, id }): Piece => ({
        kind: 'tool_result',
        text,
        own: false,
        result: true,
        callId: id,
      }),
    );
  const rest = message.parts.filter(({ type }) => type !== 'tool_result');
  if (results.length > 0 && rest.length === 0) return results;
  const kind = kindOfRole(message);
  const own = message.role === 'assistant' || message.role === 'model';
  const result = kind === 'tool_result';
  return [...results, { ...plain, kind, text: textOf(rest), own, result }];
}

function textOf(parts: readonly Part[]): string {
  return parts
    .filter(({ type }) => type !== 'reasoning')
    .map(({ text }) => text)
    .join('\n');
}

function kindOfRole({ role }: Message): ContentKind {
  switch (role) {
    case 'system':
    case 'developer':
      return 'system';
    case 'user':
    case 'human':
      return 'user';
    case 'tool':
    case 'function':
      return 'tool_result';
    default:
      return 'other';
  }
}

/** User messages in the context so far, 1 for the first; null when unknown or when there is none. */
export function turnOf(step: Step): number | null {
  if (step.informed === null) return null;
  const fresh = step.informed.filter(({ kind }) => kind === 'user').length;
  const turn = (step.prev?.turn ?? 0) + fresh;
  return turn === 0 ? null : turn;
}
