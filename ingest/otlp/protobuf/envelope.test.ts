import { describe, expect, it } from 'vitest';
import { decodeTraces } from '../decode.ts';
import { BadRequest } from '../refusal.ts';
import { cursor, int32, varint, varint64 } from './cursor.ts';

/** Length-delimited field; every message here is shorter than 128 bytes or uses two length bytes. */
function field(number: number, ...parts: readonly (readonly number[])[]): number[] {
  const content = parts.flat();
  const length =
    content.length < 128 ? [content.length] : [(content.length & 127) | 128, content.length >> 7];
  return [(number << 3) | 2, ...length, ...content];
}

const traceId = field(1, Array(16).fill(0xab));
const spanId = field(2, Array(8).fill(0xcd));
// 7: fixed64, 2025-06-01T12:00:00Z.
const start = [57, ...littleEndian(1_748_779_200_000_000_000n)];
const span = field(2, traceId, spanId, start);
const resource = field(1, field(1, field(1, text('k')), field(2, field(1, text('v')))));

function text(value: string): number[] {
  return [...Buffer.from(value)];
}

function littleEndian(value: bigint): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return [...bytes];
}

function decode(...parts: readonly (readonly number[])[]) {
  return decodeTraces(Uint8Array.from(parts.flat()), 'protobuf');
}

describe('protobuf varints', () => {
  const at = (...bytes: number[]) => cursor(Uint8Array.from(bytes));

  it('read up to ten bytes', () => {
    expect(varint(at(0x00))).toBe(0);
    expect(varint(at(0xac, 0x02))).toBe(300);
    expect(varint(at(0xff, 0xff, 0xff, 0xff, 0x0f))).toBe(0xffff_ffff);
    expect(varint64(at(...Array(9).fill(0xff), 0x01))).toBe(2n ** 64n - 1n);
    expect(varint64(at(...Array(8).fill(0xff), 0x7f))).toBe(2n ** 63n - 1n);
    expect(varint64(at(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02))).toBe(2n ** 50n);
    expect(int32(at(...Array(9).fill(0xff), 0x01))).toBe(-1);
  });

  it('refuse to be cut short or longer than ten bytes', () => {
    expect(() => varint(at(0x80))).toThrow(BadRequest);
    expect(() => varint(at())).toThrow(BadRequest);
    expect(() => varint(at(...Array(10).fill(0x80), 0x01))).toThrow(BadRequest);
    expect(() => varint64(at(...Array(11).fill(0xff)))).toThrow(BadRequest);
  });
});

describe('a protobuf request', () => {
  it('may carry the resource after the spans, and the scope after its spans', () => {
    const scope = field(1, field(1, text('lib')));
    const { batches } = decode(field(1, field(2, span, scope), resource));
    expect(batches).toMatchObject([
      {
        resource: [{ key: 'k', value: 'v' }],
        scope: { name: 'lib' },
        items: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }],
      },
    ]);
  });

  it('keeps scopes apart and gives each span its own path', () => {
    const bad = field(2, traceId, start);
    const { batches, reasons } = decode(
      field(1, resource, field(2, span), field(2, span, bad)),
      field(1, field(2, bad, span)),
    );
    expect(batches.map((batch) => batch.items.length)).toEqual([1, 1, 1]);
    expect(reasons.map((reason) => reason.split(': ')[0])).toEqual([
      'resourceSpans[0].scopeSpans[1].spans[1]',
      'resourceSpans[1].scopeSpans[0].spans[0]',
    ]);
  });

  it('passes over unknown fields of every wire type and known numbers with another wire type', () => {
    const unknown = [
      ...[0x98, 0x06, 0x05], // 99, varint
      ...[0x99, 0x06, ...Array(8).fill(1)], // 99, fixed64
      ...[0x9d, 0x06, ...Array(4).fill(1)], // 99, fixed32
      ...[0x9a, 0x06, 0x02, 0x01, 0x02], // 99, length-delimited
      ...[(5 << 3) | 0, 0x01], // 5 name, as a varint
    ];
    const { items } = decode(
      unknown,
      field(1, field(2, field(2, unknown, traceId, spanId, start))),
    );
    expect(items).toBe(1);
  });

  it('copies bytes values out of the body', () => {
    const attribute = field(9, field(1, text('b')), field(2, field(7, [1, 2, 3])));
    const body = Uint8Array.from(field(1, field(2, field(2, traceId, spanId, start, attribute))));
    const { batches } = decodeTraces(body, 'protobuf');
    body.fill(0);
    expect(batches[0]!.items[0]!.attributes[0]!.value).toEqual(new Uint8Array([1, 2, 3]));
  });

  it.each<[string, number[]]>([
    ['a length beyond the message', field(1, [0x12, 0x7f])],
    ['a length of 2^63', [0x0a, ...Array(9).fill(0xff), 0x01]],
    ['field number 0', [0x02, 0x00]],
    ['a group', field(1, [0x0b, 0x0c])],
    ['an unknown wire type', [0x0e]],
    ['a tag beyond 32 bits', [0x8a, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00]],
    ['a fixed64 cut short', field(1, field(2, field(2, [57, 1, 2])))],
    ['an attribute that leaves its span', field(1, field(2, field(2, [0x4a, 0x05, 0x0a])))],
    ['a resource nested too deeply', field(1, deepResource(40))],
    ['text', text('<html>')],
  ])('with %s cannot be read', (_, body) => {
    expect(() => decode(body)).toThrow(BadRequest);
  });
});

function deepResource(levels: number): number[] {
  let value = field(1, text('x'));
  for (let i = 0; i < levels; i += 1) value = field(5, field(1, value));
  return field(1, field(1, field(1, text('k')), field(2, value)));
}
