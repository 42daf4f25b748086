import type { ApprovalPolicy } from './approval-policy.ts';
import type { Budget } from './budget.ts';
import type { Price } from './price.ts';

/** How much of the content leaves the process: nothing, its shape (hashes, names, sizes), or the texts themselves. */
export type ContentLevel = 'none' | 'metadata' | 'full';

/**
 * Called with every text before it is recorded, and with the attribute it is meant for; returns what may be recorded.
 * When it throws, that attribute is left out: never sent unredacted.
 */
export type Redact = (text: string, attribute: string) => string;

export interface Settings {
  readonly content: ContentLevel;
  readonly redact: Redact | undefined;
  /** Longest content attribute in characters; above it the oldest messages are cut first. */
  readonly maxContentChars: number;
  /** Mixed into every hash, so that values cannot be guessed from it. Must be the same in all processes of a project. */
  readonly hashSalt: string;
}

/** What may stop a call before it is made. Set by `register()`. */
export interface Guards {
  /** For tasks that bring none of their own. */
  readonly budget?: Budget | undefined;
  price?: Price | undefined;
  readonly approvals?: ApprovalPolicy | undefined;
}

/** Everything that is shared by all copies of this package in one process. */
export interface Runtime {
  settings: Settings;
  /** Whether the fetch layer records; the wrapper itself stays in clients that captured it. */
  capturing: boolean;
  /** Guarded steps that failed, by name. The application never sees them. */
  readonly failures: Map<string, number>;
  /** Ends the span of each model call that is still open; used at shutdown. */
  readonly openCalls: Set<() => void>;
  /** Attempt number of the tasks that failed last in this process, so that a retry is attempt + 1. Bounded. */
  readonly failedAttempts: Map<string, number>;
  guards?: Guards;
  /** Sends what has ended. Set while registered. */
  flush?: () => Promise<void>;
  /** Whether the spans of a task are sent; absent where no task is left out. */
  keeps?: (taskId: string) => boolean;
  /** Tool calls that models asked for outside any task. Bounded. */
  strayCalls: unknown[];
  /** Attributes of tool spans that others ended without the result, by call id. Bounded. */
  endedTools?: Map<string, object>;
  lastTime: number;
  sequence: number;
}

/** Instrumentation scope of every span and log record that this package emits. */
export const scope = { name: '@plumbline/instrumentation', version: '0.1.0' } as const;

export const defaults: Settings = {
  content: 'metadata',
  redact: undefined,
  maxContentChars: 262_144,
  hashSalt: '',
};

const slot = Symbol.for('plumbline.instrumentation');

/** One per process even when the package is loaded twice (bundled and by `--import`, ESM and CJS). */
export function runtime(): Runtime {
  const holder = globalThis as { [slot]?: Runtime };
  holder[slot] ??= {
    settings: defaults,
    capturing: false,
    failures: new Map(),
    openCalls: new Set(),
    failedAttempts: new Map(),
    strayCalls: [],
    lastTime: 0,
    sequence: 0,
  };
  return holder[slot];
}

/** Content level in force. */
export function contentLevel(): ContentLevel {
  return runtime().settings.content;
}

// A clock that goes back further was set: spans follow it, and records that did not would lie after the spans they belong to.
const largestSlipMs = 100;

/** Wall clock as OTel's [seconds, nanoseconds], increasing while the clock is not set back: events keep their order. */
export function now(): [number, number] {
  const state = runtime();
  const time = Date.now();
  if (time > state.lastTime || time < state.lastTime - largestSlipMs) {
    state.lastTime = time;
    state.sequence = 0;
  } else {
    state.sequence = Math.min(state.sequence + 1, 999_999);
  }
  const seconds = Math.floor(state.lastTime / 1000);
  return [seconds, (state.lastTime - seconds * 1000) * 1_000_000 + state.sequence];
}
