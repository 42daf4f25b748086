import type { LogCallColumns, LogRow } from '../tables/logs.ts';
import type { SpanRow } from '../tables/spans.ts';

/** An `agent.*` event of a span. Times are nanoseconds since 1970. */
export interface TaskEvent {
  readonly time: bigint;
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** The columns of a span from which tasks are derived, and its `agent.*` events. `end` is 0 while it is open. */
export type TaskSpan = Pick<
  SpanRow,
  | 'project'
  | 'trace_id'
  | 'span_id'
  | 'parent_id'
  | 'name'
  | 'start'
  | 'end'
  | 'status'
  | 'status_message'
  | 'service'
  | 'scope_name'
  | 'kind'
  | 'operation'
  | 'provider'
  | 'request_model'
  | 'response_model'
  | 'response_id'
  | 'service_tier'
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'cache_write_1h_tokens'
  | 'reasoning_tokens'
  | 'cost_reported'
  | 'ttft_ms'
  | 'error_type'
  | 'error_message'
  | 'agent_name'
  | 'conversation_id'
  | 'user_id'
  | 'api_key'
  | 'environment'
  | 'release'
  | 'prompt_name'
  | 'prompt_version'
  | 'agent_version_hash'
  | 'task_id'
  | 'task_id_kind'
  | 'workflow'
  | 'task_attempt'
  | 'task_ref'
  | 'task_parent_id'
  | 'task_traffic'
  | 'tool_name'
  | 'tool_call_id'
  | 'tool_error_by'
  | 'handoff_to'
> & { readonly events: readonly TaskEvent[] };

/** The columns of a log record from which tasks are derived, and its `agent.*` attributes. */
export type TaskLog = Pick<
  LogRow,
  | 'project'
  | 'trace_id'
  | 'span_id'
  | 'time'
  | 'hash'
  | 'event_name'
  | 'service'
  | 'task_id'
  | 'task_id_kind'
  | 'workflow'
  | 'agent_name'
  | 'conversation_id'
  | 'user_id'
  | 'environment'
  | 'release'
  | keyof LogCallColumns
> & { readonly attributes: ReadonlyMap<string, string> };

/** Kinds whose usage counts: leaf model calls. */
export type ModelKind = 'llm' | 'embedding' | 'reranker';

/** The span's model kind, or null for any other span; fetching a stored response is no call. */
export function modelKind(span: TaskSpan): ModelKind | null {
  if (span.operation === 'fetch_response') return null;
  const { kind } = span;
  return kind === 'llm' || kind === 'embedding' || kind === 'reranker' ? kind : null;
}

/** Whether the span is a tool call; a handoff made by calling a tool is one too. */
export function isToolCall(span: TaskSpan): boolean {
  return span.kind === 'tool' || (span.kind === 'handoff' && span.tool_name !== '');
}
