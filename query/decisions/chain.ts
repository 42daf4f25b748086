import type { DecisionSpan } from './evidence.ts';
import type { Message, Messages } from './message.ts';
import type { ModelCall } from './model-calls.ts';
import type { Place, SpanTree } from './span-tree.ts';

/** A message that a call saw; `message` is undefined when only its hash is known. */
export interface Seen {
  readonly message: Message | undefined;
  readonly identity: number | string;
}

/** A model call with its place in the chain of calls that hand their context on. */
export interface Link {
  readonly call: ModelCall;
  readonly place: Place;
  readonly prev: Link | null;
  /** Messages that were not in the input or output of `prev`; null when the input is not known. */
  readonly fresh: readonly Seen[] | null;
  /** Output messages; null when the output is not known. */
  readonly output: readonly Seen[] | null;
  readonly inputs: readonly string[];
}

/**
 * Chains the calls (BEHAVIOUR §2): `prev` is the call whose response id is named, else the latest one whose output
 * occurs in the input, else the last one of the same agent's run. Calls come in order of start.
 */
export function chainCalls(
  calls: readonly ModelCall[],
  tree: SpanTree,
  messages: Messages,
): Link[] {
  const known = createIndex();
  return calls.map((call) => {
    const place = tree.place(call.span);
    const inputs = inputsOf(call.span);
    const prev = known.previous(call, place, inputs, messages);
    const link: Link = {
      call,
      place,
      prev,
      inputs,
      fresh: inputs.length === 0 ? null : freshOf(inputs, prev, messages),
      output:
        call.span.output_messages.length === 0
          ? null
          : call.span.output_messages.map((hash) => seen(hash, messages)),
    };
    known.add(link);
    return link;
  });
}

// System instructions travel apart from the messages; here they are the first of them.
const instruction = 's';

function inputsOf(span: DecisionSpan): readonly string[] {
  if (span.system_instructions.length === 0) return span.input_messages;
  return [...span.system_instructions.map((hash) => instruction + hash), ...span.input_messages];
}

/** What it is the same as is seldom asked, and takes long to say. */
class SeenMessage implements Seen {
  readonly message: Message | undefined;
  readonly #input: string;
  readonly #messages: Messages;

  constructor(input: string, messages: Messages) {
    this.message = messageOf(input, messages);
    this.#input = input;
    this.#messages = messages;
  }

  get identity(): number | string {
    return this.message === undefined ? this.#input : this.#messages.identity(this.message);
  }
}

function messageOf(input: string, messages: Messages): Message | undefined {
  return input.startsWith(instruction)
    ? messages.instructions(input.slice(instruction.length))
    : messages.message(input);
}

function seen(input: string, messages: Messages): Seen {
  return new SeenMessage(input, messages);
}

/** The inputs that `prev` neither saw nor said, counted one for one: a second equal "yes" is new. */
function freshOf(inputs: readonly string[], prev: Link | null, messages: Messages): Seen[] {
  const before = prev?.inputs ?? [];
  let shared = 0;
  while (shared < before.length && before[shared] === inputs[shared]) shared++;
  const spent = new Map<number | string, number>();
  const roles = new Set<string | undefined>();
  const spend = ({ identity, message }: Seen) => {
    spent.set(identity, (spent.get(identity) ?? 0) + 1);
    roles.add(message?.role);
  };
  for (const hash of before.slice(shared)) spend(seen(hash, messages));
  for (const message of prev?.output ?? []) spend(message);
  return inputs
    .slice(shared)
    .map((hash) => seen(hash, messages))
    .filter((own) => {
      // Messages of another role are others: there is no need to ask what they are.
      if (!roles.has(own.message?.role)) return true;
      const { identity } = own;
      const left = spent.get(identity) ?? 0;
      if (left > 0) spent.set(identity, left - 1);
      return left === 0;
    });
}

function createIndex() {
  const byResponse = new Map<string, Link[]>();
  const byOutput = new Map<number | string, Link[]>();
  const byScope = new Map<string, Link[]>();

  function add(link: Link) {
    const { response_id } = link.call.span;
    if (response_id !== '') push(byResponse, response_id, link);
    for (const { identity } of link.output ?? []) push(byOutput, identity, link);
    push(byScope, link.place.scope, link);
  }

  function previous(
    call: ModelCall,
    place: Place,
    inputs: readonly string[],
    messages: Messages,
  ): Link | null {
    const { start } = call.attempts[0] ?? call.span;
    const named = call.span.previous_response_id;
    return (
      (named === '' ? null : latest(byResponse.get(named), start, place)) ??
      byLastOutput(inputs, start, place, messages) ??
      latest(byScope.get(place.scope), start, place)
    );
  }

  /** The input is read from its end: what was said last was said by the call before. */
  function byLastOutput(
    inputs: readonly string[],
    start: bigint,
    place: Place,
    messages: Messages,
  ): Link | null {
    for (let i = inputs.length - 1; i >= 0; i--) {
      const input = inputs[i] ?? '';
      const message = messageOf(input, messages);
      if (message !== undefined && message.role !== 'assistant' && message.role !== 'model')
        continue;
      const identity = message === undefined ? input : messages.identity(message);
      const link = latest(byOutput.get(identity), start, place);
      if (link !== null) return link;
    }
    return null;
  }

  return { add, previous };
}

function push<K>(index: Map<K, Link[]>, key: K, link: Link) {
  const list = index.get(key);
  if (list === undefined) index.set(key, [link]);
  else list.push(link);
}

/** The last link that ended before `start`, of the same agent's run where there is one. */
function latest(links: readonly Link[] | undefined, start: bigint, place: Place): Link | null {
  let best: Link | null = null;
  for (let i = (links?.length ?? 0) - 1; i >= 0; i--) {
    const link = links?.[i];
    if (link === undefined || link.call.span.end > start) continue;
    if (link.place.scope === place.scope) return link;
    best ??= link;
  }
  return best;
}
