import { expect, it } from 'vitest';
import { canonicalJson, contentJson } from './plain.ts';

it('writes equal values equally', () => {
  expect(canonicalJson({ b: [1, { d: 1, c: 2 }], a: 'x' })).toBe('{"a":"x","b":[1,{"c":2,"d":1}]}');
});

it('survives what a value can do', () => {
  const cyclic: Record<string, unknown> = { name: 'loop' };
  cyclic['self'] = cyclic;
  const hostile = {
    get boom(): never {
      throw new Error('no');
    },
    ok: 1,
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const json = {
    toJSON: () => {
      throw new Error('no');
    },
  };
  expect(JSON.parse(canonicalJson([cyclic, hostile, revoked.proxy, json]))).toEqual([
    { name: 'loop', self: '[Circular]' },
    { boom: '[Unreadable]', ok: 1 },
    '[Unreadable]',
    '[Unreadable]',
  ]);
});

it('writes what JSON has no word for', () => {
  const value = {
    big: 12n,
    date: new Date(0),
    map: new Map([['k', 1]]),
    set: new Set([1]),
    bytes: new Uint8Array(3),
    nan: Number.NaN,
    error: new TypeError('bad'),
    fn: () => 1,
    missing: undefined,
    proto: JSON.parse('{"__proto__":{"x":1}}') as object,
  };
  expect(contentJson(value, (text) => text)).toBe(
    '{"big":"12","date":"1970-01-01T00:00:00.000Z","map":[["k",1]],"set":[1],"bytes":"[3 bytes]","nan":"NaN",' +
      '"error":{"name":"TypeError","message":"bad"},"proto":{"__proto__":{"x":1}}}',
  );
});

it('is bounded in depth, in width and in length', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(canonicalJson(deep).length).toBeLessThan(200);
  expect(canonicalJson(Array.from({ length: 1_000_000 }, () => 1)).length).toBeLessThan(200_000);
  expect(canonicalJson('x'.repeat(5_000_000)).length).toBeLessThan(1_100_000);
});
