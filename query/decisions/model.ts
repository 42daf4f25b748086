import type {
  Alternative,
  ContentKind,
  DetectedBy,
  Edge,
  FinishReason,
  NoneReason,
  ResultStatus,
  SourceAnswer,
  WhyAnswer,
} from './answer.ts';
import type { DecisionSpan, TaskFacts } from './evidence.ts';

/** A set of offered tools. */
export interface Toolset {
  /** `ts1`, `ts2` … in order of first use. */
  readonly id: string;
  readonly tools: readonly string[];
  readonly schemas: boolean;
  /** JSON Schema of the arguments by tool name; tools without one are absent. */
  readonly parameters: ReadonlyMap<string, unknown>;
  /** Tools whose arguments are text of any form. */
  readonly freeform: ReadonlySet<string>;
  /** What tools do, where their definitions say so. */
  readonly effects: ReadonlyMap<string, 'read' | 'write'>;
}

/** External content that a decision saw for the first time; its id is that of the message or of the call it answers. */
export interface Content {
  readonly id: string;
  readonly kind: ContentKind;
  /** Null when it was not captured. */
  readonly text: string | null;
  /** Role as reported: the model's own words are no source of anything. */
  readonly own: boolean;
  /** The call that it is the result of. */
  readonly call: Call | null;
}

export interface Result {
  span: DecisionSpan | null;
  status: ResultStatus;
  detected_by: DetectedBy | null;
  valid: boolean | null;
  duration_ms: number | null;
  bytes: number | null;
  text: string | null;
}

export interface Unsourced {
  readonly pointer: string;
  readonly value: string | number;
  /** A member of an enumeration in the tool's schema. */
  readonly member: boolean;
}

/** A tool call: one that a decision chose, or one that code made (`step` null). */
export interface Call {
  readonly id: string;
  readonly step: Step | null;
  readonly tool: string;
  readonly call_id: string;
  /** Parsed arguments, the raw text when they are not JSON, null when not captured. */
  readonly args: unknown;
  readonly argsText: string | null;
  /** Equal for equal arguments: canonical JSON, or the reported hash; null when unknown. */
  argsKey: string | null;
  valid: boolean | null;
  violations: readonly string[];
  effect: 'read' | 'write' | 'unknown';
  /** The effect was guessed from the tool's name. */
  effectInferred: boolean;
  /** Run by the model's provider. */
  readonly server: boolean;
  handoffTo: string | null;
  sources: readonly SourceAnswer[] | null;
  unsourced: readonly Unsourced[] | null;
  readonly result: Result;
}

export interface Answer {
  readonly type: 'answer' | 'refusal';
  readonly text: string | null;
}

/** What a decision chose. */
export interface Chosen {
  readonly calls: readonly Call[];
  readonly answer: Answer | null;
  readonly value: string | null;
  /** The value is what a model said, a plan: content. */
  readonly said?: true;
  readonly none: NoneReason | null;
}

/** A decision with all its content, linked to its neighbours. */
export interface Step {
  readonly id: string;
  /** Place in the task, from 1. */
  n: number;
  readonly kind: 'inference' | 'declared';
  /** What a declared decision is about: a name. */
  readonly topic: string | null;
  /** The action that an approval is about, as worded by whoever asked: content. */
  readonly subject?: string;
  /** The model span that answered (the last attempt), or the span that carries the declaration. */
  readonly span: DecisionSpan | null;
  readonly attempts: readonly DecisionSpan[];
  readonly trace_id: string;
  readonly span_id: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly agent: string | null;
  /** Steps of one agent's run share it. */
  readonly scope: string;
  readonly model: string | null;
  prev: Step | null;
  readonly next: Step[];
  turn: number | null;
  readonly toolset: Toolset | null;
  readonly toolChoice: string | null;
  alternatives: readonly Alternative[];
  chosen: Chosen | null;
  /** Null when the output's content is not known. */
  why: WhyAnswer[] | null;
  informed: readonly Content[] | null;
  readonly finish: FinishReason;
  readonly cost_usd: number | null;
}

/** The decisions of one task and what came of them, in order of time. */
export interface Trajectory {
  readonly task: TaskFacts;
  readonly steps: readonly Step[];
  /** Calls that decisions chose and calls that code made, in order of time. */
  readonly calls: readonly Call[];
  readonly toolsets: readonly Toolset[];
  readonly edges: readonly Edge[];
  readonly approvals: readonly Approval[];
  readonly spans: readonly DecisionSpan[];
  /** No more decisions are expected. */
  readonly ended: boolean;
}

export interface Approval {
  /** Id of the declared decision. */
  readonly step: string;
  readonly id: string;
  readonly action: string;
  readonly call_id: string;
  readonly status: 'requested' | 'approved' | 'denied' | 'expired';
  /** When it was decided, else when it was requested. */
  readonly at: bigint;
}

/** Milliseconds between two times in nanoseconds; null when the end is not known. */
export function milliseconds(start: bigint, end: bigint): number | null {
  return end < start ? null : Number(end - start) / 1e6;
}
