import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SpanRow } from '../../store/tables/spans.ts';
import { decodeLogs, decodeTraces } from '../otlp/decode.ts';
import type { Batch, OtlpLog, OtlpSpan } from '../otlp/model.ts';
import { attributes, batch, event, log, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';
import { renderAttributes } from './payload.ts';
import { restoreAttributes, restoreLog, restoreSpan } from './restore.ts';

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

function again(given: Batch<OtlpSpan>): { first: SpanRow[]; second: SpanRow[] } {
  const { spans, messages } = normaliser.normaliseSpans('p', [given]);
  const content = new Map(messages.map((row) => [`${row.trace_id} ${row.hash}`, row.content]));
  const items = spans.map((row) =>
    restoreSpan(row, (hash) => {
      const found = content.get(`${row.trace_id} ${hash}`);
      if (found === undefined) throw new Error(`no content ${hash}`);
      return found;
    }),
  );
  const second = normaliser.normaliseSpans('p', [{ ...given, items }]).spans;
  return { first: [...spans], second: [...second] };
}

const captures = new URL('../../test/fixtures/captures/pypi/', import.meta.url);
const files = readdirSync(captures).filter((name) => name.endsWith('.pb.gz'));
const bytesOf = (name: string) => gunzipSync(readFileSync(new URL(name, captures)));

describe('restoreSpan', () => {
  it('gives back what was received, so that normalising it again changes nothing', () => {
    const traces = files.filter((name) => name.endsWith('.traces.pb.gz'));
    expect(traces.length).toBeGreaterThan(5);
    for (const name of traces) {
      for (const one of decodeTraces(bytesOf(name), 'protobuf').batches) {
        const { first, second } = again(one);
        // Which attribute comes first is not part of what they say.
        const sorted = (row: SpanRow) => ({
          ...row,
          attribute_types: [...row.attribute_types].sort(),
        });
        expect(second.map((row) => ({ ...sorted(row), ver: 0n }))).toEqual(
          first.map((row) => ({ ...sorted(row), ver: 0n })),
        );
      }
    }
  });

  it('restores events, links, status and times', () => {
    const given = span({
      kind: 3,
      statusCode: 2,
      statusMessage: 'no',
      parentSpanId: '00f067aa0ba902b7',
      traceState: 'a=b',
      flags: 257,
      events: [event('agent.decision', { 'agent.decision.name': 'route' })],
      links: [{ traceId: 'ab', spanId: 'cd', attributes: attributes({ why: 'resumed' }) }],
      attributes: { long: 'x'.repeat(5000), n: 1, f: 0.5, yes: true },
    });
    const { spans, messages } = normaliser.normaliseSpans('p', [batch([given])]);
    const content = new Map(messages.map((row) => [row.hash, row.content]));
    const [row] = spans;
    const restored = row && restoreSpan(row, (hash) => content.get(hash) ?? '');
    const inOrder = (one: OtlpSpan | undefined) => ({
      ...one,
      attributes: [...(one?.attributes ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1)),
    });
    expect(inOrder(restored)).toEqual(inOrder(given));
  });
});

describe('restoreAttributes', () => {
  it('gives back every type', () => {
    const given = attributes({
      text: 'a',
      'a.bool': false,
      int: -9_223_372_036_854_775_808n,
      double: 1e300,
      list: ['a "b" \\ [c]', 2, 2.5, true, null, ['x'], {}],
      map: { k: 'v', n: { __proto__x: 1 }, 'a,b:{': [] },
    });
    const all = [
      ...given,
      { key: 'whole', value: 3 },
      { key: 'minus zero', value: -0 },
      { key: 'nan', value: Number.NaN },
      { key: 'whole in list', value: [3, 3n] },
      { key: 'bytes', value: Uint8Array.of(0, 255) },
    ];
    const { texts, types } = renderAttributes(all);
    const restored = restoreAttributes(texts, types);
    expect(restored.map(({ key }) => key)).toEqual(all.map(({ key }) => key));
    const plain = (list: typeof all) =>
      list.map(({ key, value }) => [key, value instanceof Uint8Array ? [...value] : value]);
    expect(plain(restored)).toEqual(plain(all));
  });
});

describe('restoreLog', () => {
  it('keeps the identity of every captured record', () => {
    const logs = files.filter((name) => name.endsWith('.logs.pb.gz'));
    expect(logs.length).toBeGreaterThan(0);
    const given: Batch<OtlpLog>[] = logs.flatMap((name) => [
      ...decodeLogs(bytesOf(name), 'protobuf').batches,
    ]);
    given.push(batch([log({ attributes: { 'agent.task.id': 't' }, body: { a: [1, 2.5] } })]));
    for (const one of given) {
      const { logs: first } = normaliser.normaliseLogs('p', [one]);
      const items = first.map(restoreLog);
      expect(normaliser.normaliseLogs('p', [{ ...one, items }]).logs).toEqual(first);
    }
  });
});
