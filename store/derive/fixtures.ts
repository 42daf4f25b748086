import { emptyRow } from '../tables/empty-row.ts';
import { type LogRow, logs } from '../tables/logs.ts';
import { type SpanRow, spans } from '../tables/spans.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';

/** 2026-03-04T10:00:00Z in nanoseconds: the zero of {@link ms}. */
export const EPOCH = 1_772_618_400_000_000_000n;

/** Milliseconds after {@link EPOCH}, as nanoseconds since 1970. */
export function ms(offset: number): bigint {
  return EPOCH + BigInt(Math.round(offset * 1e6));
}

/** A span event of a fixture: time, name, attributes. */
export type EventFixture = readonly [
  time: bigint,
  name: string,
  attributes: Record<string, string>,
];

/** A complete, unremarkable span of project `p`, one second long, with these values replaced. */
export function spanRow(
  values: Partial<SpanRow> & { readonly span_id: string },
  events: readonly EventFixture[] = [],
): SpanRow {
  const start = values.start ?? EPOCH;
  const end = values.end ?? start + 1_000_000_000n;
  return {
    ...BLANK_SPAN,
    start,
    end,
    ver: end === 0n ? 1n : (1n << 63n) | (end & 0xffffn),
    'events.time': events.map(([time]) => time),
    'events.name': events.map(([, name]) => name),
    'events.attributes': events.map(([, , attributes]) => Object.entries(attributes)),
    ...values,
  };
}

/** A log record of project `p` with these values replaced. */
export function logRow(values: Partial<LogRow> & { readonly event_name: string }): LogRow {
  return { ...BLANK_LOG, ...values };
}

/** What the derivation reads of a stored span. */
export function taskSpan(row: SpanRow): TaskSpan {
  const events = row['events.time'].map((time, i) => ({
    time,
    name: row['events.name'][i] ?? '',
    attributes: new Map(row['events.attributes'][i] ?? []),
  }));
  return { ...row, events };
}

/** What the derivation reads of a stored log record. */
export function taskLog(row: LogRow): TaskLog {
  return { ...row, attributes: new Map(row.attributes) };
}

/** A span as the derivation sees it; see {@link spanRow}. */
export function span(
  values: Partial<SpanRow> & { readonly span_id: string },
  events: readonly EventFixture[] = [],
): TaskSpan {
  return taskSpan(spanRow(values, events));
}

/** A state record at `at`, as the instrumentation sends it. */
export function stateLog(at: bigint, task: string, state: string, values: Partial<LogRow> = {}) {
  return logRow({
    event_name: 'agent.task.state',
    time: at,
    task_id: task,
    task_id_kind: 'declared',
    hash: BigInt(state.length) * 1000n + (at % 1000n),
    attributes: [['agent.task.state', state]],
    ...values,
  });
}

const BLANK_SPAN: SpanRow = {
  ...emptyRow(spans),
  project: 'p',
  trace_id: 't1',
  mapping_version: 1,
  span_kind: 'internal',
  status: 'unset',
  service: 'support',
  kind: 'other',
};

const BLANK_LOG: LogRow = {
  ...emptyRow(logs),
  project: 'p',
  trace_id: 't1',
  time: EPOCH,
  hash: 1n,
  ver: 1n,
  mapping_version: 1,
  severity_number: 9,
  severity_text: 'INFO',
  service: 'support',
};
