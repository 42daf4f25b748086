import type { TaskSpan } from './telemetry.ts';

/** A handoff told by an event, and the tool or handoff span inside which it was told. */
export interface HandoffSignal {
  readonly at: bigint;
  readonly to: string;
  readonly inside: TaskSpan | null;
}

/** A handoff span that is no tool call, and the tool call inside which it lies (itself when in none). */
export interface HandoffSpan {
  readonly span: TaskSpan;
  readonly inside: TaskSpan;
}

/** What a task gave away. */
export interface Handoffs {
  readonly count: number;
  readonly toHuman: boolean;
}

const HUMAN = /human|escalat/i;
const TRANSFER = /^(?:transfer|hand_?off)[_ ]to[_ ](.+)$/i;

/**
 * Counts handoffs once, however they are told: by a tool call whose name says so, by a handoff span, or by an event.
 * `transfer_to_x` is one only where x is an agent of the task or a person (BEHAVIOUR §1.10); a span or event inside a
 * counted one is the same handoff.
 */
export function countHandoffs(
  toolCalls: readonly TaskSpan[],
  spans: readonly HandoffSpan[],
  signals: readonly HandoffSignal[],
  agents: ReadonlySet<string>,
): Handoffs {
  const known = new Set([...agents].map(plain));
  const told = new Set<TaskSpan>();
  const targets: string[] = [];
  for (const span of toolCalls) {
    const target = targetOfTool(span, known);
    if (target === null) continue;
    told.add(span);
    targets.push(target);
  }
  for (const { span, inside } of spans) {
    if (!told.has(inside)) told.add(span);
    targets.push(span.handoff_to);
  }
  const events = new Set<string>();
  for (const { at, to, inside } of signals) {
    if (inside === null || !told.has(inside)) events.add(`${at} ${to}`);
    targets.push(to);
  }
  return {
    count: told.size + events.size,
    toHuman: targets.some((target) => HUMAN.test(target)),
  };
}

function targetOfTool(span: TaskSpan, known: ReadonlySet<string>): string | null {
  if (HUMAN.test(span.tool_name)) return span.tool_name;
  const to = span.handoff_to || (TRANSFER.exec(span.tool_name)?.[1] ?? '');
  return HUMAN.test(to) || (to !== '' && known.has(plain(to))) ? to : null;
}

// `transfer_to_refund_agent` and an agent called "Refund Agent" are the same.
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
