import { readFile } from 'node:fs/promises';
import { inflate } from '../ingest/inflate.ts';
import {
  createExplainer,
  type Explanation,
  type FieldSource,
} from '../ingest/normalise/explain.ts';
import type { Mapping } from '../ingest/normalise/mapping.ts';
import { decodeLogs, decodeTraces, type Encoding } from '../ingest/otlp/decode.ts';
import type { Decoded } from '../ingest/otlp/model.ts';
import { BadRequest } from '../ingest/otlp/refusal.ts';

const maxBytes = 256 * 1024 * 1024;

/** The file holds no OTLP request of spans or log records. */
export class NotOtlp extends Error {
  override readonly name = 'NotOtlp';
}

/**
 * How a mapping reads the OTLP requests of a file: protobuf, JSON, or JSON lines as the Collector's file exporter writes
 * them, plain or gzip. Throws {@link NotOtlp}, and what reading the file throws.
 */
export async function explainFile(file: string, mapping: Mapping): Promise<Explanation[]> {
  const raw = await readFile(file);
  const bytes = inflate(raw, raw[0] === 0x1f && raw[1] === 0x8b ? 'gzip' : 'none', maxBytes);
  const explainer = await createExplainer(mapping);
  return requestsOf(bytes).flatMap(({ body, encoding }) => {
    const spans = attempt(() => decodeTraces(body, encoding));
    const logs = attempt(() => decodeLogs(body, encoding));
    // Spans and log records are framed alike in protobuf: read as the other, most items are refused.
    if (logs !== null && goodness(logs) > (spans === null ? 0 : goodness(spans))) {
      return explainer.logs(logs.batches);
    }
    if (spans !== null && goodness(spans) > 0) return explainer.spans(spans.batches);
    throw new NotOtlp(`${file} holds no OTLP request with spans or log records`);
  });
}

function goodness({ items, rejected }: Decoded<unknown>): number {
  return items / (items + rejected || 1);
}

function attempt<Item>(decode: () => Decoded<Item>): Decoded<Item> | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof BadRequest) return null;
    throw error;
  }
}

function requestsOf(bytes: Uint8Array): { body: Uint8Array; encoding: Encoding }[] {
  const head = Buffer.from(bytes.subarray(0, 64)).toString().trimStart();
  if (!head.startsWith('{')) return [{ body: bytes, encoding: 'protobuf' }];
  const lines = Buffer.from(bytes).toString().split('\n');
  const isLines = lines.length > 1 && isJson(lines[0] ?? '');
  const texts = isLines ? lines.filter((line) => line.trim() !== '') : [lines.join('\n')];
  return texts.map((text) => ({ body: Buffer.from(text), encoding: 'json' }));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The explanations for a terminal; the attributes that no rule knows, in all of them together, come last. */
export function renderExplanations(explanations: readonly Explanation[]): string {
  return `${[...explanations.map(render), ...unknownIn(explanations)].join('\n\n')}\n`;
}

/** What rules of one's own could be for, most frequent first. */
function unknownIn(explanations: readonly Explanation[]): string[] {
  const counts = new Map<string, number>();
  for (const { raw } of explanations) {
    for (const { key, could } of raw) {
      if (could.length === 0) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  if (counts.size === 0) return [];
  const listed = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const lines = listed.map(([key, n]) => `  ${clean(key)}  ${n === 1 ? 'once' : `${n} times`}`);
  return [['attributes that no rule reads:', ...lines].join('\n')];
}

function render(one: Explanation): string {
  const width = Math.max(0, ...one.fields.map(({ field }) => field.length));
  const lines = one.fields.map(
    (field) => `  ${field.field.padEnd(width)} = ${shown(field.value)}  ← ${origin(field)}`,
  );
  const given = new Set(one.fields.map(({ field }) => field));
  const raw = one.raw.map(({ key, could }) => `    ${clean(key)}${unused(could, given)}`);
  return [
    `${one.item} ${clean(one.name) || '(no name)'}  ${one.trace_id}/${one.span_id}`,
    `  scope ${clean(one.scope) || '(none)'}; conventions: ${one.conventions.join(', ') || '(none)'}`,
    ...(one.item === 'span' ? [`  kind ${one.kind}, by ${one.kind_by}`] : []),
    ...lines,
    ...(raw.length > 0 ? ['  kept raw:', ...raw] : []),
  ].join('\n');
}

/** Why an attribute gave nothing to the fields that it could give. */
function unused(could: readonly string[], given: ReadonlySet<string>): string {
  const late = could.filter((field) => given.has(field));
  const empty = could.filter((field) => !given.has(field));
  const reasons = [
    ...(late.length > 0 ? [`${late.join(', ')}: another source came first`] : []),
    ...(empty.length > 0 ? [`${empty.join(', ')}: not in it, or not on such a span`] : []),
  ];
  return reasons.length === 0 ? '' : `  (${reasons.join('; ')})`;
}

function origin({ from, key, convention }: FieldSource): string {
  const place = from === 'name' ? 'the span name' : `${from} ${clean(key)}`;
  return convention === '' ? place : `${place} (${convention})`;
}

const maxShown = 80;

function shown(value: string): string {
  const text = JSON.stringify(clean(value));
  return text.length > maxShown ? `${text.slice(0, maxShown)}…"` : text;
}

/** Telemetry is hostile text: nothing of it may steer a terminal. */
function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�');
}
