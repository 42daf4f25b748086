import type { Store } from '../connection.ts';
import { readWorkflowSettings } from '../workflows.ts';
import type { Trace } from './trace.ts';

/** Where a task begins and ends when nothing on it says (BEHAVIOUR §1.3). */
export type Boundary =
  | { readonly by: 'trace' }
  /** A conversation's traces are one task until it has ended or been silent for `idle` nanoseconds. */
  | { readonly by: 'conversation'; readonly idle: bigint }
  /** Each span of this name or kind begins one. */
  | { readonly by: 'span'; readonly match: string };

/** The boundary of each workflow. */
export interface Boundaries {
  readonly of: (workflow: string) => Boundary;
  /** Some workflow's tasks are conversations. */
  readonly conversations: boolean;
}

const byTrace: Boundary = { by: 'trace' };

/** Every trace is a task. */
export const traceBoundaries: Boundaries = { of: () => byTrace, conversations: false };

/** The boundaries in force. */
export async function readBoundaries(store: Store): Promise<Boundaries> {
  const settings = await readWorkflowSettings(store);
  return boundariesOf(
    new Map(settings.map((one) => [one.workflow, boundaryOf(one.boundary, one.idle_s)])),
  );
}

/** Boundaries by workflow, `*` for any that is not listed. */
export function boundariesOf(listed: ReadonlyMap<string, Boundary>): Boundaries {
  const rest = listed.get('*') ?? byTrace;
  return {
    of: (workflow) => listed.get(workflow) ?? rest,
    conversations: [...listed.values()].some(({ by }) => by === 'conversation'),
  };
}

function boundaryOf(text: string, idleSeconds: number): Boundary {
  if (text === 'conversation') return { by: text, idle: BigInt(idleSeconds) * 1_000_000_000n };
  return text.startsWith('span:') ? { by: 'span', match: text.slice(5) } : byTrace;
}

/** The boundary of a trace's workflow. */
export function boundaryOfTrace(boundaries: Boundaries, trace: Trace): Boundary {
  const named = trace.spans.find(({ workflow }) => workflow !== '') ?? trace.logs.find(hasWorkflow);
  return boundaries.of(named?.workflow ?? '');
}

function hasWorkflow({ workflow }: { readonly workflow: string }): boolean {
  return workflow !== '';
}

/** The conversation that a trace is part of, '' when it says none. */
export function conversationOf(trace: Trace): string {
  const items = [...trace.spans, ...trace.logs];
  return items.find((item) => item.conversation_id !== '')?.conversation_id ?? '';
}

/**
 * The tasks of traces that a conversation holds, by trace id. A task ends with a trace that reports a final state, or
 * when nothing was heard for the idle time; it is named by its conversation and first trace.
 */
export function segments(
  traces: readonly Trace[],
  boundaries: Boundaries,
  isUnnamed: (trace: Trace) => boolean,
): Map<string, string> {
  const tasks = new Map<string, string>();
  if (!boundaries.conversations) return tasks;
  const conversations = new Map<string, Stretch[]>();
  for (const trace of traces) {
    const boundary = boundaryOfTrace(boundaries, trace);
    if (trace.id === '' || boundary.by !== 'conversation' || !isUnnamed(trace)) continue;
    const conversation = conversationOf(trace);
    if (conversation === '') continue;
    const stretches = conversations.get(conversation) ?? [];
    conversations.set(conversation, stretches);
    stretches.push({ ...extentOf(trace), id: trace.id, idle: boundary.idle, over: isOver(trace) });
  }
  for (const [conversation, stretches] of conversations) {
    stretches.sort((a, b) => Number(a.first - b.first) || (a.id < b.id ? -1 : 1));
    let task = '';
    let last = 0n;
    let over = true;
    for (const stretch of stretches) {
      if (over || stretch.first - last > stretch.idle) task = segmentId(conversation, stretch.id);
      tasks.set(stretch.id, task);
      if (stretch.last > last) last = stretch.last;
      over = stretch.over;
    }
  }
  return tasks;
}

/** The id of the task that begins with this trace of a conversation. */
export function segmentId(conversation: string, trace: string): string {
  return `${conversation}:${trace}`;
}

/** The id of the task that begins with this span. */
export function spanTaskId(trace: string, span: string): string {
  return `${trace}:${span}`;
}

interface Stretch {
  readonly id: string;
  readonly first: bigint;
  readonly last: bigint;
  readonly idle: bigint;
  readonly over: boolean;
}

function extentOf({ spans, logs }: Trace): { first: bigint; last: bigint } {
  const times = [
    ...spans.flatMap(({ start, end }) => (end > start ? [start, end] : [start])),
    ...logs.map(({ time }) => time),
  ];
  let [first = 0n] = times;
  let last = first;
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return { first, last };
}

const final: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

function isOver({ spans, logs }: Trace): boolean {
  const says = (name: string, attributes: ReadonlyMap<string, string>) =>
    name === 'agent.task.state' && final.has(attributes.get('agent.task.state') ?? '');
  return (
    logs.some((log) => says(log.event_name, log.attributes)) ||
    spans.some(({ events }) => events.some((event) => says(event.name, event.attributes)))
  );
}
