import { describe, expect, it } from 'vitest';
import { createRandom } from '../../demo/random.ts';
import { decodeTraces } from '../../ingest/otlp/decode.ts';
import { countSpans } from '../../ingest/otlp/protobuf/walk.ts';
import { BadRequest } from '../../ingest/otlp/refusal.ts';
import { attributes, type Data, encodeProtobuf, traceRequest } from '../fuzz/otlp.ts';

const random = createRandom(11);
const below = (n: number) => Math.floor(random.next() * n);

function span(more: Data = {}): Data {
  return {
    traceId: random.hex(32),
    spanId: random.hex(16),
    parentSpanId: below(2) === 0 ? '' : random.hex(16),
    name: 'chat',
    kind: 3,
    startTimeUnixNano: '1748779200000000000',
    endTimeUnixNano: below(3) === 0 ? '0' : '1748779201000000000',
    attributes: attributes({
      'gen_ai.operation.name': 'chat',
      n: below(1000),
      text: random.hex(40),
    }),
    events: [
      { timeUnixNano: '1748779200500000000', name: 'event', attributes: attributes({ a: 1 }) },
    ],
    links: [
      { traceId: random.hex(32), spanId: random.hex(16), attributes: attributes({ b: 'c' }) },
    ],
    status: { code: below(3), message: 'said' },
    flags: 257,
    ...more,
  };
}

function request(spans: readonly Data[]): Buffer {
  const resource = { attributes: attributes({ 'service.name': 'test', list: 'x' }) };
  const scope = {
    name: 'scope',
    version: '1',
    attributes: attributes({ more: 1 }),
  };
  return encodeProtobuf(traceRequest, {
    resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }],
  });
}

/** What the decoder would take whole: the number of its spans; null when it refuses any, or everything. */
function oracle(body: Uint8Array): number | null {
  try {
    const { items, rejected } = decodeTraces(body, 'protobuf');
    return rejected === 0 ? items : null;
  } catch (error) {
    if (error instanceof BadRequest) return null;
    throw error;
  }
}

describe('looking through a request', () => {
  it('counts the spans of a request of which all can be stored', () => {
    for (const n of [0, 1, 7]) {
      expect(countSpans(request(Array.from({ length: n }, () => span())))).toBe(n);
    }
  });

  it.each<[string, Data]>([
    ['no trace id', { traceId: '' }],
    ['a zero trace id', { traceId: '0'.repeat(32) }],
    ['a short trace id', { traceId: 'ab' }],
    ['no span id', { spanId: '' }],
    ['a long parent id', { parentSpanId: 'ab'.repeat(9) }],
    ['no start', { startTimeUnixNano: '0' }],
    ['a start in milliseconds', { startTimeUnixNano: '1748779200000' }],
    ['a start in the year 2200', { startTimeUnixNano: '7258118400000000000' }],
    ['an end in the year 2400', { endTimeUnixNano: '13569465600000000000' }],
  ])('leaves a span with %s to the decoder', (_, fault) => {
    const body = request([span(), span(fault)]);
    expect(oracle(body)).toBeNull();
    expect(countSpans(body)).toBeNull();
  });

  it('is never more lenient than the decoder, whatever is changed, cut off or put in', () => {
    let taken = 0;
    for (let round = 0; round < 1500; round += 1) {
      const body = request(Array.from({ length: 1 + below(3) }, () => span()));
      const broken = damage(body);
      const counted = countSpans(broken);
      if (counted === null) continue;
      taken += 1;
      expect(oracle(broken)).toBe(counted);
    }
    // Most damage lies in texts and numbers, which are nobody's business here.
    expect(taken).toBeGreaterThan(200);
  });
});

function damage(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const at = below(copy.length);
  switch (below(4)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      return Buffer.concat([copy.subarray(0, at), Buffer.from([below(256)]), copy.subarray(at)]);
    default:
      for (let n = below(3); n >= 0; n -= 1) copy[below(copy.length)] = below(256);
      return copy;
  }
}
