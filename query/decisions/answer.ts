import type { Outcome, OutcomeSource, TaskState } from './evidence.ts';

/**
 * The answer of `GET /api/v1/tasks/{id}/decisions`, as in `decisions.schema.json`.
 * `null` = unknown (not captured or not reported), `[]` = known to be none.
 */
export interface DecisionsAnswer {
  readonly task_id: string;
  readonly workflow: string | null;
  readonly state: TaskState;
  readonly outcome: Outcome;
  readonly outcome_source: OutcomeSource | null;
  readonly complete: boolean;
  readonly toolsets: Readonly<Record<string, ToolsetAnswer>>;
  readonly decisions: readonly DecisionAnswer[];
  readonly edges: readonly Edge[];
  readonly findings: readonly FindingAnswer[];
  readonly suspects: readonly SuspectAnswer[];
  readonly next_cursor: string | null;
}

export interface ToolsetAnswer {
  readonly tools: readonly string[];
  /** Whether the argument schemas were captured too. */
  readonly schemas: boolean;
}

export interface DecisionAnswer {
  readonly n: number;
  readonly id: string;
  readonly kind: 'inference' | 'declared';
  readonly trace_id: string;
  readonly span_id: string;
  readonly at: string;
  readonly agent: string | null;
  readonly turn: number | null;
  readonly model: string | null;
  readonly summary: string;
  readonly options: OptionsAnswer | null;
  readonly chosen: readonly ChosenAnswer[] | null;
  readonly why: readonly WhyAnswer[] | null;
  readonly informed_by: readonly InformedByAnswer[] | null;
  readonly results: readonly ResultAnswer[];
  readonly usage: UsageAnswer | null;
  readonly cost_usd: number | null;
  readonly duration_ms: number | null;
  readonly ttft_ms: number | null;
  readonly attempts: number;
  readonly finish_reason: FinishReason;
  readonly next: readonly string[];
}

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_call'
  | 'content_filter'
  | 'compaction'
  | 'error'
  | 'unknown';

export interface Alternative {
  readonly value: string;
  readonly score?: number;
  readonly reason?: string;
}

export interface OptionsAnswer {
  readonly toolset: string | null;
  readonly tool_choice: string | null;
  readonly alternatives: readonly Alternative[];
}

export interface SourceAnswer {
  /** A call (its result) or a message of an `informed_by`. */
  readonly from: string;
  /** JSON pointers into the arguments. */
  readonly args: readonly string[];
}

export type ChosenAnswer =
  | {
      readonly type: 'tool_call';
      readonly id: string;
      readonly tool: string | null;
      readonly call_id: string | null;
      readonly arguments: unknown;
      readonly valid: boolean | null;
      readonly violations?: readonly string[];
      readonly sources: readonly SourceAnswer[] | null;
      readonly unsourced: readonly string[] | null;
    }
  | {
      readonly type: 'handoff';
      readonly id: string;
      readonly to: string;
      readonly tool: string | null;
      readonly call_id: string | null;
      readonly arguments: unknown;
      readonly valid: boolean | null;
      readonly violations?: readonly string[];
    }
  | {
      readonly type: 'answer' | 'refusal';
      readonly text: string | null;
      readonly bytes: number | null;
    }
  | { readonly type: 'value'; readonly value: string }
  | { readonly type: 'none'; readonly reason: NoneReason };

export type NoneReason = 'error' | 'truncated' | 'content_filter' | 'cancelled';

export interface WhyAnswer {
  readonly kind: 'reasoning' | 'text' | 'think_tool' | 'declared' | 'human';
  readonly text: string | null;
  readonly span_id: string;
  readonly confidence?: number;
}

export type ContentKind =
  | 'user'
  | 'system'
  | 'tool_result'
  | 'document'
  | 'memory'
  | 'handoff'
  | 'approval'
  | 'other';

export interface InformedByAnswer {
  readonly id: string;
  readonly kind: ContentKind;
  readonly preview: string | null;
  readonly bytes: number | null;
}

export type ResultStatus = 'ok' | 'error' | 'denied' | 'timeout' | 'missing' | 'unknown';
export type DetectedBy = 'span' | 'flag' | 'content' | 'shape';

export interface ResultAnswer {
  readonly call: string;
  readonly span_id: string | null;
  readonly status: ResultStatus;
  readonly detected_by: DetectedBy | null;
  readonly valid: boolean | null;
  readonly duration_ms: number | null;
  readonly bytes: number | null;
  readonly preview: string | null;
}

export interface UsageAnswer {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens?: number;
  readonly cache_write_tokens?: number;
  readonly reasoning_tokens?: number;
}

export type EdgeType =
  | 'informed_by'
  | 'retried'
  | 'handed_off'
  | 'delegated'
  | 'approved'
  | 'denied';

export interface Edge {
  readonly type: EdgeType;
  readonly from: string;
  readonly to: string;
}

export type Severity = 'info' | 'warn' | 'error';

export interface FindingAnswer {
  readonly id: string;
  readonly finding: string;
  readonly severity: Severity;
  readonly decision: string | null;
  readonly call?: string;
  readonly spans: readonly string[];
  readonly text: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface SuspectAnswer {
  readonly rank: number;
  readonly decision: string;
  /** Relative weight of the evidence, for ordering; not a probability. */
  readonly score: number;
  readonly reasons: readonly SuspectReason[];
}

export interface SuspectReason {
  readonly signal: string;
  readonly text: string;
  readonly spans: readonly string[];
}
