import { describe, expect, it } from 'vitest';
import { literal } from './literal.ts';

describe('literal', () => {
  it.each([
    ['String', "it's", "'it\\'s'"],
    ['String', '\\', "'\\\\'"],
    ['String', "\\' OR 1 = 1 --", "'\\\\\\' OR 1 = 1 --'"],
    ['String', 'a\0b`c', "'a\\0b\\`c'"],
    ['String', '\ud800x', "'\ufffdx'"],
    ['String', 7, "'7'"],
    ['Identifier', 'a`b', '`a\\`b`'],
    ['UInt64', 2n ** 64n - 1n, "_CAST(18446744073709551615, 'UInt64')"],
    ['Nullable(Float64)', null, "_CAST(NULL, 'Nullable(Float64)')"],
    ['Array(String)', ["a'", 'b'], "_CAST(['a\\'', 'b'], 'Array(String)')"],
    [
      "DateTime64(9, 'UTC')",
      '2026-01-02 03:04:05',
      "_CAST('2026-01-02 03:04:05', 'DateTime64(9, \\'UTC\\')')",
    ],
  ])('of the type %s writes %s', (type, value, text) => {
    expect(literal(type, value)).toBe(text);
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [{}], [undefined], [[{}]]])(
    'refuses %j',
    (value) => {
      expect(() => literal('Float64', value)).toThrow(TypeError);
    },
  );
});
