import type { SpanRow } from '../tables/spans.ts';
import type { Entries } from '../tables/table.ts';
import type { TaskEvent, TaskSpan } from './telemetry.ts';

/** A span as a derivation reads it, and its version. */
export interface Remembered {
  readonly span: TaskSpan;
  readonly ver: bigint;
}

/**
 * The spans that this process stored last, as a derivation reads them back. It only saves reading: whoever uses it asks
 * the store which spans of a trace there are, and in which versions, and takes these only where all of them are equal.
 */
export interface Recent {
  /** Takes in rows that are stored, or about to be. */
  remember(rows: readonly SpanRow[]): void;
  /** What is known of a trace, by span id, in the newest version of each; undefined when nothing is. */
  of(project: string, trace: string): ReadonlyMap<string, Remembered> | undefined;
  /** Spans held. */
  readonly size: number;
}

/** Some 1 kB each, texts included: what arrives while two derivations run at full rate. */
const MAX_SPANS = 40_960;
/** A trace beyond is derived seldom, and would push out all others. */
const MAX_OF_TRACE = 1024;
/** A span of more text (error messages, above all) is read back like any other. */
const MAX_TEXT = 8192;

/** Remembers `max` spans at most, and forgets the traces first that have been silent for longest. */
export function createRecent(max = MAX_SPANS): Recent {
  const traces = new Map<string, Map<string, Remembered>>();
  let size = 0;

  function forget(key: string, spans: ReadonlyMap<string, Remembered>): void {
    traces.delete(key);
    size -= spans.size;
  }

  function add(row: SpanRow): void {
    const key = keyOf(row.project, row.trace_id);
    const spans = traces.get(key) ?? new Map<string, Remembered>();
    const known = spans.get(row.span_id);
    if (known !== undefined && known.ver > row.ver) return;
    // At the end: a map keeps the order in which its keys came.
    traces.delete(key);
    if (known === undefined) size += 1;
    spans.set(row.span_id, { span: taskSpanOf(row), ver: row.ver });
    traces.set(key, spans);
    if (spans.size > MAX_OF_TRACE || textOf(row) > MAX_TEXT) forget(key, spans);
  }

  return {
    remember(rows) {
      for (const row of rows) add(row);
      for (const [key, spans] of traces) {
        if (size <= max) break;
        forget(key, spans);
      }
    },
    of: (project, trace) => traces.get(keyOf(project, trace)),
    get size() {
      return size;
    },
  };
}

function keyOf(project: string, trace: string): string {
  return `${trace} ${project}`;
}

function textOf(row: SpanRow): number {
  const events = row['events.attributes'].reduce((sum, entries) => sum + entries.length, 0);
  return row.error_message.length + row.status_message.length + 100 * events;
}

const heard: ReadonlySet<string> = new Set(['agent.task.state', 'agent.approval', 'agent.handoff']);
const noEvents: readonly TaskEvent[] = [];

/** What reading the row back gives. Written out, like its counterpart there, so that all spans have one shape. */
export function taskSpanOf(row: SpanRow): TaskSpan {
  return {
    project: stored(row.project),
    trace_id: stored(row.trace_id),
    span_id: stored(row.span_id),
    parent_id: stored(row.parent_id),
    name: stored(row.name),
    start: row.start,
    end: row.end,
    status: stored(row.status),
    status_message: stored(row.status_message),
    service: stored(row.service),
    scope_name: stored(row.scope_name),
    kind: stored(row.kind),
    operation: stored(row.operation),
    provider: stored(row.provider),
    request_model: stored(row.request_model),
    response_model: stored(row.response_model),
    response_id: stored(row.response_id),
    service_tier: stored(row.service_tier),
    input_tokens: row.input_tokens,
    output_tokens: row.output_tokens,
    cache_read_tokens: row.cache_read_tokens,
    cache_write_tokens: row.cache_write_tokens,
    cache_write_1h_tokens: row.cache_write_1h_tokens,
    reasoning_tokens: row.reasoning_tokens,
    cost_reported: finite(row.cost_reported),
    ttft_ms: finite(row.ttft_ms),
    error_type: stored(row.error_type),
    error_message: stored(row.error_message),
    agent_name: stored(row.agent_name),
    conversation_id: stored(row.conversation_id),
    user_id: stored(row.user_id),
    api_key: stored(row.api_key),
    environment: stored(row.environment),
    release: stored(row.release),
    prompt_name: stored(row.prompt_name),
    prompt_version: stored(row.prompt_version),
    agent_version_hash: stored(row.agent_version_hash),
    task_id: stored(row.task_id),
    task_id_kind: stored(row.task_id_kind),
    workflow: stored(row.workflow),
    task_attempt: row.task_attempt,
    task_ref: stored(row.task_ref),
    task_parent_id: stored(row.task_parent_id),
    task_traffic: stored(row.task_traffic),
    tool_name: stored(row.tool_name),
    tool_call_id: stored(row.tool_call_id),
    tool_error_by: stored(row.tool_error_by),
    handoff_to: stored(row.handoff_to),
    events: row['events.name'].length === 0 ? noEvents : eventsOf(row),
  };
}

function eventsOf(row: SpanRow): TaskEvent[] {
  return row['events.name'].flatMap((name, i) => {
    if (!heard.has(name)) return [];
    const attributes = agentEntries(row['events.attributes'][i] ?? []);
    return [{ time: row['events.time'][i] ?? 0n, name, attributes }];
  });
}

function agentEntries(entries: Entries<string>): Map<string, string> {
  const own = new Map<string, string>();
  for (const [key, text] of entries) {
    if (key.startsWith('agent.')) own.set(stored(key), stored(text));
  }
  return own;
}

/** Half a character is written as U+FFFD. */
function stored(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** Infinities and NaN are read as null. */
function finite(value: number | null): number | null {
  return Number.isFinite(value) ? value : null;
}
