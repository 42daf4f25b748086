import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Normaliser } from '../../ingest/normalise/normaliser.ts';
import { decodeLogs, decodeTraces, type Encoding } from '../../ingest/otlp/decode.ts';
import { taskLog, taskSpan } from '../../store/derive/fixtures.ts';
import { type DerivedTask, deriveTasks } from '../../store/derive/task.ts';
import type { LogRow } from '../../store/tables/logs.ts';
import type { SpanRow } from '../../store/tables/spans.ts';

/** Requests of one library's run, as its exporter sent them. */
export interface Capture {
  /** `npm/x` or `pypi/x`, the key of the expected sheet. */
  readonly id: string;
  readonly version: string;
  readonly requests: readonly {
    readonly signal: 'traces' | 'logs';
    readonly encoding: Encoding;
    readonly body: Uint8Array;
  }[];
}

/** What the server makes of a capture. */
export interface Read {
  readonly spans: readonly SpanRow[];
  readonly logs: readonly LogRow[];
  readonly tasks: readonly DerivedTask[];
  /** Text of a piece of payload. */
  readonly text: (hash: bigint) => string;
}

const directory = new URL('../fixtures/captures/', import.meta.url);

/** Every capture in the fixtures, by id. */
export function readCaptures(): Map<string, Capture> {
  const captures = new Map<string, Capture>();
  for (const registry of ['npm', 'pypi']) {
    for (const file of readdirSync(new URL(registry, directory)).sort()) {
      const parsed = /^(.+)@([^@]+)\.\d+\.(traces|logs)\.(pb|json)\.gz$/.exec(file);
      if (parsed === null) throw new Error(`no capture: ${file}`);
      const [, name = '', version = '', signal, format] = parsed;
      const id = `${registry}/${name}`;
      const known = captures.get(id)?.requests ?? [];
      const body = gunzipSync(readFileSync(new URL(`${registry}/${file}`, directory)));
      const encoding = format === 'pb' ? 'protobuf' : 'json';
      const request = { signal: signal as 'traces' | 'logs', encoding, body } as const;
      captures.set(id, { id, version, requests: [...known, request] });
    }
  }
  return captures;
}

const contents = [
  'input_messages',
  'output_messages',
  'system_instructions',
  'tool_definitions',
] as const;

/** A span with the content that only log records tell of it, as decisions are read. */
function withTold(span: SpanRow, logs: readonly LogRow[]): SpanRow {
  const own = logs
    .filter((log) => log.trace_id === span.trace_id && log.span_id === span.span_id)
    .sort((a, b) => Number(a.time - b.time));
  const told = contents.flatMap((name) => {
    const all = own.flatMap((log) => log[name]);
    return span[name].length > 0 || all.length === 0 ? [] : [[name, all] as const];
  });
  return { ...span, ...Object.fromEntries(told) };
}

/** Decodes, normalises and derives, without an engine. */
export function read(capture: Capture, normaliser: Normaliser): Read {
  const spans: SpanRow[] = [];
  const logs: LogRow[] = [];
  const texts = new Map<bigint, string>();
  for (const { signal, encoding, body } of capture.requests) {
    if (signal === 'traces') {
      const decoded = decodeTraces(body, encoding);
      if (decoded.rejected > 0) throw new Error(`${capture.id}: ${decoded.rejected} spans refused`);
      const rows = normaliser.normaliseSpans('p', decoded.batches);
      spans.push(...rows.spans);
      for (const { hash, content } of rows.messages) texts.set(hash, content);
    } else {
      const rows = normaliser.normaliseLogs('p', decodeLogs(body, encoding).batches);
      logs.push(...rows.logs);
      for (const { hash, content } of rows.messages) texts.set(hash, content);
    }
  }
  return {
    spans: spans.map((span) => withTold(span, logs)),
    logs,
    tasks: deriveTasks(spans.map(taskSpan), logs.map(taskLog)),
    text: (hash) => texts.get(hash) ?? '',
  };
}
