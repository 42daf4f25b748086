import { createHash } from 'node:crypto';
import type { Store } from '../../store/connection.ts';
import { query, sql } from '../../store/sql.ts';
import { attributes, type Data, logsRequest, type Message, traceRequest } from './otlp.ts';

/** What a fuzzed signal has to bring; a new signal is one more entry of {@link signals}. */
export interface Signal {
  readonly name: string;
  readonly path: string;
  /** The request's protobuf shape. */
  readonly message: Message;
  /** A request around items, which may be of any quality. */
  readonly request: (items: readonly Data[], resource?: readonly Data[]) => Data;
  /** A sound item; items with different `of` or `i` have different identities. */
  readonly item: (of: string, i: number) => Data;
  /** Names of the item's fields that hold a time. */
  readonly times: readonly string[];
  /** Marks of all sound items found in the store with what else must be exact about them, once per stored item. */
  readonly stored: (store: Store) => Promise<readonly string[]>;
  /** What {@link stored} must say of an item. */
  readonly expected: (of: string, i: number) => string;
}

const noon = Date.UTC(2026, 2, 2, 12);

/** Nanoseconds of a fixed day, some ms apart, so that a run is the same whenever it runs. */
export function time(ms: number): string {
  return `${noon + ms}000000`;
}

function hex(of: string, length: number): string {
  return createHash('sha256').update(of).digest('hex').slice(0, length);
}

const resource = attributes({ 'service.name': 'fuzz', 'deployment.environment.name': 'test' });

/** Spans per sound request; the first is the task's root, the others model calls. */
export const itemsPerRequest = 3;
const tokens = (i: number) => 100 + i;

const longText = 'All work and no play makes this attribute long. '.repeat(60);

const traces: Signal = {
  name: 'traces',
  path: '/v1/traces',
  message: traceRequest,
  times: ['startTimeUnixNano', 'endTimeUnixNano'],
  request: (items, own = resource) => ({
    resourceSpans: [
      {
        resource: { attributes: own },
        scopeSpans: [{ scope: { name: 'fuzz', version: '1' }, spans: items }],
      },
    ],
  }),
  item: (of, i) => ({
    traceId: hex(`trace ${of}`, 32),
    spanId: hex(`span ${of} ${i}`, 16),
    parentSpanId: i === 0 ? '' : hex(`span ${of} 0`, 16),
    name: i === 0 ? 'invoke_workflow fuzz' : 'chat gpt-4o',
    kind: 3,
    startTimeUnixNano: time(i * 10),
    endTimeUnixNano: time(i * 10 + 5),
    attributes: attributes({
      'fuzz.mark': `${of} ${i}`,
      'agent.task.id': of,
      'agent.task.workflow': 'fuzz',
      'gen_ai.operation.name': i === 0 ? 'invoke_workflow' : 'chat',
      ...(i > 0 && {
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': tokens(i),
        'gen_ai.usage.output_tokens': 7,
        'gen_ai.input.messages': JSON.stringify([
          { role: 'user', parts: [{ type: 'text', content: `${of}: ${longText}` }] },
        ]),
      }),
    }),
    events: [{ timeUnixNano: time(i * 10 + 1), name: 'note', attributes: attributes({ n: i }) }],
    links: [{ traceId: hex('elsewhere', 32), spanId: hex('elsewhere', 16) }],
    status: { code: 1 },
    flags: 257,
  }),
  expected: (of, i) => `${of} ${i}: ${i === 0 ? '' : tokens(i)} tokens, ${i === 0 ? 0 : 1} message`,
  stored: async (store) => {
    const rows = await query<{ mark: string; tokens: string | null; messages: number }>(
      store,
      sql`SELECT attributes['fuzz.mark'] AS mark, input_tokens AS tokens, length(arrayIntersect(input_messages, (
            SELECT groupArray(hash) FROM messages WHERE startsWith(content, '{"role":"user"')))) AS messages
          FROM spans FINAL WHERE startsWith(mark, 'good ')`,
    );
    return rows.map((row) => `${row.mark}: ${row.tokens ?? ''} tokens, ${row.messages} message`);
  },
};

const logs: Signal = {
  name: 'logs',
  path: '/v1/logs',
  message: logsRequest,
  times: ['timeUnixNano', 'observedTimeUnixNano'],
  request: (items, own = resource) => ({
    resourceLogs: [
      {
        resource: { attributes: own },
        scopeLogs: [{ scope: { name: 'fuzz', version: '1' }, logRecords: items }],
      },
    ],
  }),
  item: (of, i) => ({
    timeUnixNano: time(i),
    observedTimeUnixNano: time(i + 1),
    severityNumber: 9,
    severityText: 'INFO',
    eventName: i === 0 ? 'agent.task.state' : '',
    body: { stringValue: `${of} record ${i}` },
    attributes: attributes({
      'fuzz.mark': `${of} ${i}`,
      'agent.task.id': of,
      ...(i === 0 && { 'agent.task.state': 'done' }),
    }),
    traceId: i === 2 ? '' : hex(`trace ${of}`, 32),
    spanId: i === 2 ? '' : hex(`span ${of} 0`, 16),
    flags: 1,
  }),
  expected: (of, i) => `${of} ${i}: ${of} record ${i}`,
  stored: async (store) => {
    const rows = await query<{ mark: string; body: string }>(
      store,
      sql`SELECT attributes['fuzz.mark'] AS mark, body FROM logs FINAL WHERE startsWith(mark, 'good ')`,
    );
    return rows.map((row) => `${row.mark}: ${row.body}`);
  },
};

export const signals: readonly Signal[] = [traces, logs];

/** Tasks of sound trace requests: id and tokens, once per task in the store. */
export async function storedTasks(store: Store): Promise<readonly string[]> {
  const rows = await query<{ task_id: string; tokens: string | null; calls: number }>(
    store,
    sql`SELECT task_id, input_tokens AS tokens, llm_calls AS calls FROM tasks FINAL
        WHERE deleted = 0 AND startsWith(task_id, 'good traces')`,
  );
  return rows.map((row) => `${row.task_id}: ${row.calls} calls, ${row.tokens} tokens`);
}

export function expectedTask(of: string): string {
  let sum = 0;
  for (let i = 1; i < itemsPerRequest; i += 1) sum += tokens(i);
  return `${of}: ${itemsPerRequest - 1} calls, ${sum} tokens`;
}
