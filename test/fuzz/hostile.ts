import { deflateRawSync, gzipSync } from 'node:zlib';
import type { Random } from '../../demo/random.ts';
import { below } from './mutate.ts';
import { anyValueOf, attributes, bytes, type Data, varint } from './otlp.ts';
import type { Attack, Protocol } from './protocols.ts';
import type { Signal } from './signals.ts';

/** Where a case is made: who it is for and an identity of its own. */
export interface Case {
  readonly signal: Signal;
  readonly protocol: Protocol;
  readonly random: Random;
  readonly of: string;
}

/** Makes a hostile request. `weight` is how often, 1 being usual; what costs much is rare. */
export interface Hostile {
  readonly weight: number;
  /** Only its second of three items is bad: whatever becomes of that one, the others have to be taken. */
  readonly hasNeighbours?: boolean;
  readonly make: (at: Case) => Omit<Attack, 'name'>;
}

/** Places of the sound items of a request that {@link Hostile.hasNeighbours}. */
export const neighbours = [0, 2] as const;

type Change = (item: Data, at: Case) => Data;

/** One bad item between two sound ones: the neighbours of the same request have to survive. */
function item(change: Change, weight = 1): Hostile {
  return {
    weight,
    hasNeighbours: true,
    make: (at) => {
      const { signal, protocol, of } = at;
      const items = [0, 1, 2].map((i) => signal.item(of, i));
      const bad = change(items[1] ?? {}, at);
      return {
        body: protocol.encode(signal, signal.request([items[0] ?? {}, bad, items[2] ?? {}])),
      };
    },
  };
}

function withAttributes(make: (at: Case) => readonly Data[], weight = 1): Hostile {
  return item((sound, at) => ({ ...sound, attributes: [...list(sound), ...make(at)] }), weight);
}

function list(item: Data): Data[] {
  return item['attributes'] as Data[];
}

function pair(key: string, text: string): Data {
  return { key, value: { stringValue: text } };
}

function nested(depth: number, kind: 'array' | 'kvlist'): Data {
  let value: Data = { stringValue: 'deep' };
  for (let i = 0; i < depth; i += 1) {
    value =
      kind === 'array'
        ? { arrayValue: { values: [value] } }
        : { kvlistValue: { values: [{ key: 'k', value }] } };
  }
  return value;
}

const wrongTimes = [
  ...['0', '1', '-1', '1772452800', '1772452800000', '1772452800000000', '4102444800000000000'],
  // The ends of Date (2149), of DateTime64(9) (2262) and of the wire types.
  ...['5662310399999999999', '5662310400000000000', '9223372036854775806', '9223372036854775807'],
  ...['9223372036854775808', '18446744073709551615'],
];

const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', ''];

const textsOfNumbers = [
  ...['18446744073709551615', '18446744073709551616', '-1', '9223372036854775808', '1e400', 'NaN'],
  ...['Infinity', '٣', '0x10', '1.5', ' 7 ', 'null', '{}', '00012', '-0'],
];

const contents = [
  '[[[[',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `[{"role":"user","parts":${'[{"type":"x","content":'.repeat(3000)}1${'}]'.repeat(3000)}}]`,
  '{"__proto__":{"role":"user"},"constructor":{"prototype":1}}',
  '[{"role":{"toString":1},"content":[{"type":7}]},null,7,"x",[],[[]]]',
  '[{"role":"assistant","tool_calls":"none"},{"role":"tool","content":{"a":[1,2]}}]',
  '[{"role":"user","content":"\\ud800"},{"role":"user","content":"\\u0000"}]',
  `[${'{"role":"user","content":"again"},'.repeat(3000)}{"role":"user","content":"last"}]`,
  '"just text"',
  'null',
  '[]',
  '[,]',
  '\ufeff[]',
];

const contentKeys = [
  ...['gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.system_instructions'],
  ...['gen_ai.tool.definitions', 'gen_ai.tool.call.arguments', 'gen_ai.tool.call.result'],
  ...['input.value', 'output.value', 'traceloop.entity.input', 'ai.prompt.messages'],
  ...['llm.input_messages.0.message.content', 'gen_ai.prompt.99999.content', 'agent.task.state'],
  ...['llm.input_messages.0.__proto__.polluted', 'gen_ai.completion.0.tool_calls.1e9.name'],
];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T;
}

const items: Readonly<Record<string, Hostile>> = {
  'deep nesting': withAttributes(({ random }) => [
    { key: 'deep', value: nested(pick(random, [31, 32, 33, 100, 400]), 'array') },
    { key: 'deeper', value: nested(pick(random, [31, 32, 33, 100, 400]), 'kvlist') },
  ]),
  'deep body or name': item((sound) => ({ ...sound, body: nested(40, 'kvlist'), name: 'x' })),
  'wrong ids': item((sound, { random }) => {
    const length = () => pick(random, [0, 1, 2, 14, 15, 16, 17, 18, 31, 32, 33, 34, 64, 1000]);
    return {
      ...sound,
      traceId: pick(random, [random.hex(length()), '0'.repeat(32), 'not hex', 'AB'.repeat(16)]),
      spanId: pick(random, [random.hex(length()), '0'.repeat(16), '%%', sound['spanId']]),
      parentSpanId: pick(random, [random.hex(length()), sound['spanId'], '']),
      links: [{ traceId: random.hex(length()), spanId: random.hex(length()) }],
    };
  }, 2),
  'impossible times': item(
    (sound, { signal, random }) => ({
      ...sound,
      ...Object.fromEntries(signal.times.map((name) => [name, pick(random, wrongTimes)])),
      events: [{ timeUnixNano: pick(random, wrongTimes), name: 'agent.task.state' }],
    }),
    2,
  ),
  'prototype keys': withAttributes(({ random }) => [
    ...keys.flatMap((key) => [pair(key, 'x'), { key: `agent.${key}`, value: { kvlistValue: {} } }]),
    { key: '__proto__', value: { kvlistValue: { values: keys.map((key) => pair(key, '1')) } } },
    pair(pick(random, contentKeys), '{"__proto__":{"polluted":true}}'),
  ]),
  'odd content': withAttributes(
    ({ random }) => [
      pair(
        'gen_ai.operation.name',
        pick(random, ['chat', 'execute_tool', 'invoke_agent', '\u0000']),
      ),
      pair(pick(random, contentKeys), pick(random, contents)),
      pair(pick(random, contentKeys), pick(random, contents)),
    ],
    3,
  ),
  'odd numbers': withAttributes(
    ({ random }) => [
      ...['input_tokens', 'output_tokens', 'cache_read.input_tokens', 'cost'].map((name) => ({
        key: `gen_ai.usage.${name}`,
        value: pick<Data>(random, [
          { intValue: pick(random, ['-1', '9223372036854775807', '-9223372036854775808']) },
          { doubleValue: pick(random, [1e308, -1, 0.5, 2 ** 64]) },
          { stringValue: pick(random, textsOfNumbers) },
          { boolValue: true },
          { arrayValue: { values: [{ intValue: '1' }] } },
          {},
        ]),
      })),
      pair('agent.task.attempt', pick(random, textsOfNumbers)),
      pair('agent.iteration', pick(random, textsOfNumbers)),
      pair('agent.outcome.score', pick(random, textsOfNumbers)),
      pair('agent.outcome', pick(random, ['success', '', 'SUCCESS', '💥'])),
    ],
    3,
  ),
  'odd enums': item((sound, { random }) => {
    const value = () => pick(random, [-1, 6, 99, 255, 256, 2 ** 31, -(2 ** 31), 2 ** 40]);
    return {
      ...sound,
      kind: value(),
      status: { code: value(), message: '\u0000' },
      severityNumber: value(),
      flags: pick(random, [-1, 2 ** 32 - 1, 2 ** 33]),
    };
  }),
  'odd text': withAttributes(() => [
    pair('lone surrogates', '\ud800 \udfff'),
    pair('\u0000\u202e\ufeff', '\u0000'.repeat(100)),
    pair('gen_ai.request.model', `'; DROP TABLE spans; --`),
    pair('gen_ai.provider.name', '\\\'"`{}[]*?\n\r\t'),
    { key: 'bytes', value: { bytesValue: '////' } },
  ]),
  'odd task ids': withAttributes(({ random, of }) => [
    pair('agent.task.id', pick(random, ['', ' ', '\u0000', 'x'.repeat(20_000), `${of}'--`, '*'])),
    pair('agent.task.state', pick(random, ['done', 'running', 'exploded', ''])),
    pair('session.id', 'x'.repeat(5000)),
  ]),
  'many attributes': withAttributes(({ random }) => {
    const size = pick(random, [1000, 20_000]);
    return Array.from({ length: size }, (_, i) => ({ key: `key ${i}`, value: anyValueOf(i) }));
  }, 0.1),
  'a 10 MB attribute': withAttributes(
    ({ random }) => [pair(pick(random, ['big', ...contentKeys]), 'x'.repeat(10_000_000))],
    0.05,
  ),
  'a 10 MB chat': withAttributes(
    () => [
      pair(
        'gen_ai.input.messages',
        `[${Array.from({ length: 50_000 }, (_, i) => `{"role":"user","parts":[{"type":"text","content":"${i} ${'x'.repeat(140)}"}]}`).join()}]`,
      ),
    ],
    0.03,
  ),
  'a 10 MB key, name, body': item((sound) => {
    const long = 'y'.repeat(10_000_000);
    const body = { stringValue: long };
    return { ...sound, name: long, body, attributes: [...list(sound), pair(long, '')] };
  }, 0.03),
  'many events and links': item((sound, { random }) => {
    const size = pick(random, [500, 10_000]);
    const fill = <T>(one: (i: number) => T) => Array.from({ length: size }, (_, i) => one(i));
    return {
      ...sound,
      events: fill((i) => ({ timeUnixNano: '1772452800000000000', name: `e${i}`, attributes: [] })),
      links: fill(() => ({ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) })),
    };
  }, 0.1),
  'odd points': item((sound, { random }) => {
    const count = () => pick(random, ['0', '-1', '18446744073709551615', '9223372036854775807']);
    const double = () =>
      pick(random, [0, -1, 1e308, -1e308, 5e-324, 'NaN', 'Infinity', '-Infinity']);
    const side = () => ({
      offset: pick(random, [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 40]),
      bucketCounts: Array.from({ length: pick(random, [0, 1, 5000]) }, count),
    });
    return {
      ...sound,
      ...pick<Data>(random, [{ asInt: count() }, { asInt: undefined, asDouble: double() }, {}]),
      count: count(),
      sum: double(),
      min: double(),
      max: double(),
      bucketCounts: Array.from({ length: below(random, 5) }, count),
      explicitBounds: Array.from({ length: below(random, 5) }, double),
      scale: pick(random, [0, 20, -11, 2 ** 31 - 1, -(2 ** 31)]),
      zeroCount: count(),
      zeroThreshold: double(),
      positive: side(),
      negative: side(),
      quantileValues: [{ quantile: double(), value: double() }],
      exemplars: [{ timeUnixNano: pick(random, wrongTimes), traceId: 'ab', asDouble: double() }],
      flags: pick(random, [0, 1, -1, 2 ** 32]),
    };
  }, 2),
  'a parent of itself': item((sound) => ({ ...sound, parentSpanId: sound['spanId'] })),
};

/** A whole request of odd make-up. */
function request(make: (at: Case) => Data, weight = 1): Hostile {
  return {
    weight,
    make: (at) => ({ body: at.protocol.encode(at.signal, make(at)) }),
  };
}

const dayNanos = 86_400_000_000_000n;

/** Sound items, each a day before the other. */
function overDays({ signal, of }: Case, days: number): Data {
  const all = Array.from({ length: days }, (_, day) => {
    const sound = signal.item(`${of} day ${day}`, 0);
    const earlier = (name: string) => String(BigInt(String(sound[name])) - BigInt(day) * dayNanos);
    return { ...sound, ...Object.fromEntries(signal.times.map((name) => [name, earlier(name)])) };
  });
  return signal.request(all);
}

const requests: Readonly<Record<string, Hostile>> = {
  'over 130 days': request((at) => overDays(at, 130), 0.05),
  'over 1,500 days': request((at) => overDays(at, 1500), 0.004),
  'one identity many times': request(
    ({ signal, of, random }) =>
      signal.request(
        Array.from({ length: 300 }, (_, i) => ({
          ...signal.item(of, 0),
          name: `version ${i}`,
          attributes: [...list(signal.item(of, 0)), ...attributes({ n: below(random, 3) })],
        })),
      ),
    0.3,
  ),
  'a cycle of parents': request(({ signal, of }) => {
    const sound = [0, 1, 2].map((i) => signal.item(of, i));
    return signal.request(
      sound.map((one, i) => ({ ...one, parentSpanId: sound[(i + 1) % 3]?.['spanId'] })),
    );
  }),
  'an odd resource': request(({ signal, of, random }) =>
    signal.request(
      [signal.item(of, 0)],
      [
        { key: 'service.name', value: nested(pick(random, [3, 31, 40]), 'kvlist') },
        ...keys.map((key) => pair(key, key)),
        ...Array.from({ length: 200 }, (_, i) => pair(`resource ${i}`, 'x'.repeat(100))),
      ],
    ),
  ),
  'a chain of 3,000 spans': request(({ signal, of }) => {
    const sound = Array.from({ length: 3000 }, (_, i) => signal.item(of, i));
    return signal.request(
      sound.map((one, i) => ({ ...one, parentSpanId: sound[i - 1]?.['spanId'] ?? '' })),
    );
  }, 0.05),
};

/** Bytes that no encoder would write. Of the other encoding, they are one more kind of junk. */
const wire: readonly string[] = [
  'ff'.repeat(10),
  '0a'.padEnd(2 + 20, 'ff'),
  '0affffffffffffffffff01',
  '0affffffff0f',
  '0affffffff07',
  '0b0c',
  '0200',
  '0e',
  '8a8080808001',
  `0a04${'0affffff'}`,
  `${'0a80808080808080808000'}`,
  '12'.repeat(3000),
  '0a02'.repeat(2000),
];

const texts: readonly string[] = [
  ...['', ' ', 'null', '[]', '""', '7', '{', '{"resourceSpans"', '{"resourceSpans":7}', '\ufeff{}'],
  '{"resourceSpans":{"length":1e9}}',
  '{"resourceSpans":[null,7,"x",[],{}],"resourceLogs":[null,7,"x",[],{}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[null,7,"x",[],{}]}]}]}',
  '{"__proto__":{"resourceSpans":[{}]},"constructor":7}',
  '{"resourceSpans":[],"resourceSpans":[{"scopeSpans":"x"}]}',
  '{"resourceSpans":[{"resource":{"attributes":{"length":5}}}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":1e400,"kind":"SPAN_KIND_NONE"}]}]}]}',
  '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":1.5,"body":{"intValue":"x"}}]}]}]}',
  `${'['.repeat(100_000)}`,
  `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  `{"resourceSpans":[]}${' '.repeat(1_000_000)}`,
  `{"resourceSpans":[]}\n{"resourceSpans":[]}`,
];

const raw: Readonly<Record<string, Hostile>> = {
  'broken framing': {
    weight: 2,
    make: ({ random }) => ({ body: Buffer.from(pick(random, wire), 'hex') }),
  },
  'odd JSON': { weight: 2, make: ({ random }) => ({ body: Buffer.from(pick(random, texts)) }) },
  'the other encoding': {
    weight: 1,
    make: ({ signal, protocol, of }) => {
      const other = protocol.encoding === 'json' ? 'application/x-protobuf' : 'application/json';
      const body = protocol.encode(signal, signal.request([signal.item(of, 0)]));
      return { body, headers: { 'content-type': other } };
    },
  },
  'an odd content type': {
    weight: 1,
    make: ({ random }) => ({
      body: Buffer.from('{}'),
      headers: { 'content-type': pick(random, ['', 'text/html', 'application/json;'.repeat(500)]) },
    }),
  },
};

/** Sound bytes repeated inside one message: what each repetition costs in memory is far more than its bytes. */
function repeated(hex: string, size: number, ...path: readonly number[]): Buffer {
  let body: Buffer = Buffer.alloc(size, Buffer.from(hex, 'hex'));
  for (const number of path.toReversed()) body = Buffer.concat(bytes(number, body));
  return body;
}

const megabytes60 = 60_000_000;

/** Bodies whose decoded form is many times as large, in gzip: small on the wire. */
const swellingWire: readonly (() => Buffer)[] = [
  () => Buffer.alloc(megabytes60),
  () => Buffer.alloc(70_000_000, '0a00', 'hex'),
  () => repeated('0a00', megabytes60),
  () => repeated('1200', megabytes60, 1),
  () => repeated('1200', megabytes60, 1, 2),
  () => repeated('4a00', megabytes60, 1, 2, 2),
  () => repeated('5a00', megabytes60, 1, 2, 2),
  () => repeated('0a00', megabytes60, 1, 1),
  () => repeated('0a00', megabytes60, 1, 2, 2, 9, 2, 5),
  () => Buffer.concat(bytes(1, Buffer.concat([...bytes(9, Buffer.alloc(9)), varint(7n)]))),
];

const swellingText: readonly (() => Buffer)[] = [
  () => Buffer.alloc(megabytes60, ' '),
  () => Buffer.alloc(70_000_000, '[]'),
  () => Buffer.from(`{"resourceSpans":[${'{},'.repeat(15_000_000)}{}]}`),
  () => Buffer.from(`{"x":[${'[],'.repeat(15_000_000)}[]]}`),
  () => Buffer.from(`{"x":[${'1,'.repeat(25_000_000)}1]}`),
  () => Buffer.from(`{${'"a":1,'.repeat(8_000_000)}"b":1}`),
  () => Buffer.from(`{${Array.from({ length: 3_000_000 }, (_, i) => `"k${i}":1,`).join('')}"b":1}`),
  () =>
    Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${'{},'.repeat(15_000_000)}{}]}]}]}`),
];

/** Made once each: compressing 60 MB takes a second. */
const made = new Map<() => Buffer, Buffer>();

function packed(make: () => Buffer): Buffer {
  const known = made.get(make) ?? gzipSync(make());
  made.set(make, known);
  return known;
}

const gzip = { 'content-encoding': 'gzip' };

const compressed: Readonly<Record<string, Hostile>> = {
  'a bomb': {
    weight: 0.04,
    make: ({ protocol, random }) => {
      const bombs = protocol.encoding === 'protobuf' ? swellingWire : swellingText;
      return { body: packed(pick(random, bombs)), headers: gzip };
    },
  },
  'a bomb beyond the limit': {
    weight: 0.04,
    make: () => ({ body: packed(beyond), headers: gzip }),
  },
  'damaged compression': {
    weight: 2,
    make: ({ signal, protocol, of, random }) => {
      const body = protocol.encode(signal, signal.request([signal.item(of, 0)]));
      const zip = random.chance(0.5) ? gzipSync(body) : deflateRawSync(body);
      zip[below(random, zip.length)] = below(random, 256);
      return {
        body: random.chance(0.5) ? zip.subarray(0, below(random, zip.length)) : zip,
        headers: {
          'content-encoding': pick(random, ['gzip', 'deflate', 'zstd', 'br', 'x', 'gzip, gzip']),
        },
      };
    },
  },
  'compressed twice': {
    weight: 0.5,
    make: ({ signal, protocol, of }) => ({
      body: gzipSync(gzipSync(protocol.encode(signal, signal.request([signal.item(of, 0)])))),
      headers: gzip,
    }),
  },
  'a body over the limit': { weight: 0.01, make: () => ({ body: Buffer.alloc(65 * 1024 ** 2) }) },
  'a body that never ends': {
    weight: 1,
    make: ({ signal, protocol, of, random }) => {
      const body = protocol.encode(signal, signal.request([signal.item(of, 0)]));
      return { body, cutAt: below(random, body.length) };
    },
  },
};

const beyond = () => Buffer.alloc(300_000_000);

export const hostile: Readonly<Record<string, Hostile>> = {
  ...items,
  ...requests,
  ...raw,
  ...compressed,
};
