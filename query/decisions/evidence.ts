/** Attribute values as text. Only the attributes of {@link attributeKeys} are asked for. */
export type Attributes = Readonly<Record<string, string>>;

/** Span attributes that the decision model reads beside its own columns. */
export const attributeKeys = [
  'agent.budget.exceeded',
  'ai.prompt.toolChoice',
  'decision',
  'gen_ai.request.tool_choice',
  'tool_choice',
] as const;

export interface SpanEvent {
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly name: string;
  readonly attributes: Attributes;
}

/**
 * What the decision model needs of a span of the task: columns of `spans`, with message hashes as decimal text.
 * `''` means not reported; times are nanoseconds since 1970.
 */
export interface DecisionSpan {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly name: string;
  readonly kind: string;
  readonly operation: string;
  readonly status: string;
  readonly provider: string;
  readonly request_model: string;
  readonly response_model: string;
  readonly response_id: string;
  readonly previous_response_id: string;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly reasoning_tokens: number | null;
  readonly ttft_ms: number | null;
  readonly finish_reason: string;
  readonly error_type: string;
  readonly error_message: string;
  readonly agent_name: string;
  readonly request_hash: string;
  readonly tool_name: string;
  readonly tool_call_id: string;
  readonly tool_type: string;
  readonly tool_effect: string;
  readonly tool_risk: string;
  readonly tool_polling: boolean;
  /** `span`, `flag`, `content`, or `''` when the result is not an error. */
  readonly tool_error_by: string;
  readonly tool_arguments_hash: string;
  readonly tool_arguments_valid: boolean | null;
  readonly tool_result_hash: string;
  /** Top type and sorted keys, such as `object(a,b)`. */
  readonly tool_result_shape: string;
  readonly tool_result_bytes: number | null;
  readonly tool_result_valid: boolean | null;
  readonly tool_side_effect_key: string;
  readonly handoff_from: string;
  readonly handoff_to: string;
  readonly input_messages: readonly string[];
  readonly output_messages: readonly string[];
  readonly system_instructions: readonly string[];
  readonly tool_definitions: readonly string[];
  readonly tool_arguments: readonly string[];
  readonly tool_result: readonly string[];
  /** What retrievers, memories and plans put out, attribute by attribute, as payload is stored. */
  readonly outputs: readonly (readonly string[])[];
  readonly events: readonly SpanEvent[];
  readonly attributes: Attributes;
}

/** A log record of the task (approvals arrive as such, maybe from another process). */
export interface DecisionLog {
  readonly trace_id: string;
  readonly span_id: string;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly event_name: string;
  readonly agent_name: string;
  readonly attributes: Attributes;
}

export type TaskState =
  | 'queued'
  | 'running'
  | 'waiting_for_approval'
  | 'done'
  | 'failed'
  | 'cancelled'
  | 'abandoned';

export type Outcome = 'success' | 'failure' | 'unknown';
export type OutcomeSource = 'explicit' | 'feedback' | 'evaluation' | 'inferred';

/** What the task's own record says; sums are for the header of the terminal rendering only. */
export interface TaskFacts {
  readonly task_id: string;
  readonly workflow: string | null;
  readonly state: TaskState;
  readonly outcome: Outcome;
  readonly outcome_source: OutcomeSource | null;
  readonly outcome_score: number | null;
  readonly outcome_reason: string | null;
  readonly cost_usd: number | null;
  readonly duration_ms: number | null;
  readonly model_ms: number | null;
  readonly tool_ms: number | null;
  readonly human_wait_ms: number | null;
}

/** Everything about one task that decisions, findings and suspects are derived from. */
export interface TaskEvidence {
  readonly task: TaskFacts;
  readonly spans: readonly DecisionSpan[];
  readonly logs: readonly DecisionLog[];
  /** The spans that count as calls ({@link spanKey}), as the task's own record counts them: no call twice. */
  readonly calls: ReadonlySet<string>;
  /** Payload text by hash; a hash that is not in it was not captured, or is past retention. */
  readonly content: ReadonlyMap<string, string>;
  /** USD of a counted call by {@link spanKey}; null when its model is unpriced. */
  readonly costs: ReadonlyMap<string, number | null>;
}

/** Identity of a span inside a project. */
export function spanKey(span: { readonly trace_id: string; readonly span_id: string }): string {
  return `${span.trace_id} ${span.span_id}`;
}

/** Order of spans in every answer: by start, then by id, so that arrival order never shows. */
export function byStart(
  a: { readonly start: bigint; readonly span_id: string },
  b: { readonly start: bigint; readonly span_id: string },
): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.span_id < b.span_id ? -1 : Number(a.span_id > b.span_id);
}
