import { known } from './attributes.ts';
import { contentText, spoken } from './content.ts';
import { addEvent } from './event.ts';
import { attempt } from './guard.ts';
import { contentLevel } from './runtime.ts';
import { activeScope } from './task-context.ts';

/** An option that was weighed. */
export interface Alternative {
  readonly value: string;
  readonly score?: number | undefined;
  readonly reason?: string | undefined;
}

export interface Decision {
  readonly name: string;
  readonly chosen: string;
  readonly alternatives?: readonly (Alternative | string)[] | undefined;
  readonly reason?: string | undefined;
  /** 0 to 1. */
  readonly confidence?: number | undefined;
}

export interface Handoff {
  /** Agent that hands over; the active one by default. */
  readonly from?: string | undefined;
  /** Agent that takes over, or `human`. */
  readonly to: string;
  readonly reason?: string | undefined;
}

export interface Fallback {
  readonly from: string;
  readonly to: string;
  readonly reason?: string | undefined;
}

/** Records that code or a model picked among options, and why. */
export function decision({ name, chosen, alternatives, reason, confidence }: Decision): void {
  attempt('decision', () => {
    const options = alternatives?.map((option) =>
      typeof option === 'string' ? { value: option } : option,
    );
    const key = 'agent.decision.alternatives';
    addEvent(
      'agent.decision',
      known({
        'agent.decision.name': name,
        'agent.decision.chosen': spoken(chosen, 'agent.decision.chosen'),
        [key]: options && contentLevel() !== 'none' ? contentText(options, key) : undefined,
        'agent.decision.reason': spoken(reason, 'agent.decision.reason'),
        'agent.decision.confidence': confidence,
      }),
    );
  });
}

/** Records that another agent, or a person (`to: 'human'`), takes over. */
export function handoff({ from, to, reason }: Handoff): void {
  attempt('handoff', () =>
    addEvent(
      'agent.handoff',
      known({
        'agent.handoff.from': from ?? activeScope()?.agent,
        'agent.handoff.to': to,
        'agent.handoff.reason': spoken(reason, 'agent.handoff.reason'),
      }),
    ),
  );
}

/** Records that one model, provider or tool stood in for another. */
export function fallback({ from, to, reason }: Fallback): void {
  attempt('fallback', () =>
    addEvent(
      'agent.fallback',
      known({
        'agent.fallback.from': from,
        'agent.fallback.to': to,
        'agent.fallback.reason': spoken(reason, 'agent.fallback.reason'),
      }),
    ),
  );
}
