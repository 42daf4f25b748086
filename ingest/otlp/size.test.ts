import { describe, expect, it } from 'vitest';
import { maxElements } from './admission.ts';
import { decodeLogs, decodeTraces } from './decode.ts';
import { hasTooMany } from './json/size.ts';
import { BadRequest } from './refusal.ts';

describe('the size of JSON before it is parsed', () => {
  const tooMany = (text: string, max: number) => hasTooMany(Buffer.from(text), max);

  it('counts brackets, braces and commas', () => {
    expect(tooMany('{"a":[1,2,3],"b":{"c":[]}}', 6)).toBe(true);
    expect(tooMany('{"a":[1,2,3],"b":{"c":[]}}', 7)).toBe(false);
  });

  it('does not count what stands in strings', () => {
    expect(tooMany('["[[[[,,,,{{{{", "\\"[[[[", "\\\\", "[,"]', 4)).toBe(false);
    expect(tooMany('["\\\\",[,[,[]', 4)).toBe(true);
  });

  it('ends with the text, even inside a string or an escape', () => {
    expect(tooMany('["never closed, [[[[[[', 3)).toBe(false);
    expect(tooMany('["never closed \\', 1)).toBe(false);
  });
});

describe('a request of more parts than fit into memory', () => {
  const parts = maxElements + 1;

  it('is refused whole in protobuf', () => {
    const body = Buffer.alloc(2 * parts, '0a00', 'hex');
    expect(() => decodeTraces(body, 'protobuf')).toThrow(BadRequest);
    expect(decodeTraces(body.subarray(0, 1000), 'protobuf').items).toBe(0);
  });

  it('is refused whole in JSON', () => {
    const body = Buffer.from(`{"x":[${'1,'.repeat(parts)}1]}`);
    expect(() => decodeLogs(body, 'json')).toThrow(BadRequest);
  });
});
