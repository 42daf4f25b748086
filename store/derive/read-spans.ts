import type { Store } from '../connection.ts';
import { type Columns, empty, param, queryColumns, type Sql, sql } from '../sql.ts';
import type { TaskEvent, TaskSpan } from './telemetry.ts';

type Tokens =
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'cache_write_1h_tokens'
  | 'reasoning_tokens';

type SpanJson = Omit<TaskSpan, 'start' | 'end' | 'events' | Tokens> & {
  readonly [K in Tokens]: string | null;
} & {
  readonly ver: string;
  readonly start_ns: string;
  readonly end_ns: string;
  readonly agent_events: readonly (readonly [string, string, Record<string, string>])[];
};

/** Spans of one read, each in its newest version there, and these versions. */
export interface SpanRead {
  readonly spans: readonly TaskSpan[];
  readonly vers: readonly bigint[];
}

/** The spans of a `WHERE` clause; null when that would be more than `most` rows. */
export async function readSpans(
  store: Store,
  where: Sql,
  most = Number.POSITIVE_INFINITY,
): Promise<SpanRead | null> {
  const limit = Number.isFinite(most) ? sql` LIMIT ${param('UInt64', most + 1)}` : empty;
  const { rows, of } = await queryColumns<SpanJson>(
    store,
    sql`
SELECT
  ver, project, trace_id, span_id, parent_id, name,
  toUnixTimestamp64Nano(start) AS start_ns, toUnixTimestamp64Nano(end) AS end_ns,
  status, status_message, service, scope_name, kind, operation, provider, request_model, response_model, response_id,
  service_tier,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens,
  cost_reported, ttft_ms, error_type, error_message, agent_name, conversation_id, user_id, api_key, environment, release,
  prompt_name, prompt_version, agent_version_hash, task_id, task_id_kind, workflow, task_attempt, task_ref,
  task_parent_id, task_traffic, tool_name, tool_call_id, tool_error_by, handoff_to,
  arrayMap(
    e -> (toUnixTimestamp64Nano(e.1), e.2, mapFilter((k, v) -> startsWith(k, 'agent.'), e.3)),
    arrayFilter(
      e -> e.2 IN ('agent.task.state', 'agent.approval', 'agent.handoff'),
      arrayZip(events.time, events.name, events.attributes)
    )
  ) AS agent_events
FROM spans ${where}${limit}`,
  );
  if (rows > most) return null;
  const newest = new Map<string, number>();
  for (let i = 0; i < rows; i += 1) {
    const key = `${of.trace_id[i]}${of.span_id[i]}`;
    const known = newest.get(key);
    if (known === undefined || BigInt(of.ver[i] ?? 0) > BigInt(of.ver[known] ?? 0)) {
      newest.set(key, i);
    }
  }
  return {
    spans: Array.from(newest.values(), (i) => spanAt(of, i)),
    vers: Array.from(newest.values(), (i) => BigInt(of.ver[i] ?? 0)),
  };
}

/** Which spans a `WHERE` clause finds, by trace: the newest version of each. */
export async function readVersions(
  store: Store,
  where: Sql,
): Promise<{ readonly trace: string; readonly versions: ReadonlyMap<string, bigint> }[]> {
  const { rows, of } = await queryColumns<{ trace: string; ids: string[]; vers: string[] }>(
    store,
    sql`
SELECT trace_id AS trace, groupArray(span_id) AS ids, groupArray(ver) AS vers
FROM spans ${where}
GROUP BY trace_id`,
  );
  return Array.from({ length: rows }, (_, i) => {
    const versions = new Map<string, bigint>();
    const vers = of.vers[i] ?? [];
    (of.ids[i] ?? []).forEach((id, k) => {
      const ver = BigInt(vers[k] ?? 0);
      const known = versions.get(id);
      if (known === undefined || ver > known) versions.set(id, ver);
    });
    return { trace: of.trace[i] ?? '', versions };
  });
}

/** The spans of several reads: versions of one may lie in different ones. */
export function newestOf(reads: readonly SpanRead[]): readonly TaskSpan[] {
  const [only] = reads;
  if (only !== undefined && reads.length === 1) return only.spans;
  const newest = new Map<string, { readonly span: TaskSpan; readonly ver: bigint }>();
  for (const { spans, vers } of reads) {
    spans.forEach((span, i) => {
      const ver = vers[i] ?? 0n;
      const key = `${span.trace_id}${span.span_id}`;
      const known = newest.get(key);
      if (known === undefined || ver > known.ver) newest.set(key, { span, ver });
    });
  }
  return Array.from(newest.values(), ({ span }) => span);
}

/** Written out, so that all spans have one shape: what reads them is compiled for it. */
function spanAt(of: Columns<SpanJson>['of'], i: number): TaskSpan {
  const events = of.agent_events[i] ?? [];
  return {
    project: of.project[i] ?? '',
    trace_id: of.trace_id[i] ?? '',
    span_id: of.span_id[i] ?? '',
    parent_id: of.parent_id[i] ?? '',
    name: of.name[i] ?? '',
    start: BigInt(of.start_ns[i] ?? 0),
    end: BigInt(of.end_ns[i] ?? 0),
    status: of.status[i] ?? '',
    status_message: of.status_message[i] ?? '',
    service: of.service[i] ?? '',
    scope_name: of.scope_name[i] ?? '',
    kind: of.kind[i] ?? '',
    operation: of.operation[i] ?? '',
    provider: of.provider[i] ?? '',
    request_model: of.request_model[i] ?? '',
    response_model: of.response_model[i] ?? '',
    response_id: of.response_id[i] ?? '',
    service_tier: of.service_tier[i] ?? '',
    input_tokens: count(of.input_tokens[i]),
    output_tokens: count(of.output_tokens[i]),
    cache_read_tokens: count(of.cache_read_tokens[i]),
    cache_write_tokens: count(of.cache_write_tokens[i]),
    cache_write_1h_tokens: count(of.cache_write_1h_tokens[i]),
    reasoning_tokens: count(of.reasoning_tokens[i]),
    cost_reported: of.cost_reported[i] ?? null,
    ttft_ms: of.ttft_ms[i] ?? null,
    error_type: of.error_type[i] ?? '',
    error_message: of.error_message[i] ?? '',
    agent_name: of.agent_name[i] ?? '',
    conversation_id: of.conversation_id[i] ?? '',
    user_id: of.user_id[i] ?? '',
    api_key: of.api_key[i] ?? '',
    environment: of.environment[i] ?? '',
    release: of.release[i] ?? '',
    prompt_name: of.prompt_name[i] ?? '',
    prompt_version: of.prompt_version[i] ?? '',
    agent_version_hash: of.agent_version_hash[i] ?? '',
    task_id: of.task_id[i] ?? '',
    task_id_kind: of.task_id_kind[i] ?? '',
    workflow: of.workflow[i] ?? '',
    task_attempt: of.task_attempt[i] ?? null,
    task_ref: of.task_ref[i] ?? '',
    task_parent_id: of.task_parent_id[i] ?? '',
    task_traffic: of.task_traffic[i] ?? '',
    tool_name: of.tool_name[i] ?? '',
    tool_call_id: of.tool_call_id[i] ?? '',
    tool_error_by: of.tool_error_by[i] ?? '',
    handoff_to: of.handoff_to[i] ?? '',
    events: events.length === 0 ? NO_EVENTS : events.map(eventOf),
  };
}

const NO_EVENTS: readonly TaskEvent[] = [];

function eventOf([time, name, attributes]: readonly [string, string, Record<string, string>]) {
  return { time: BigInt(time), name, attributes: new Map(Object.entries(attributes)) };
}

function count(value: string | null | undefined): bigint | null {
  return value === null || value === undefined ? null : BigInt(value);
}
