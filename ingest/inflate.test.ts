import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflate, TooLarge } from './inflate.ts';
import { BadRequest } from './otlp/refusal.ts';

const text = Buffer.from('{"resourceSpans":[]}'.repeat(20));
const max = text.length;

describe('inflate', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['gzip', Buffer.concat([gzipSync(text.subarray(0, 100)), gzipSync(text.subarray(100))])],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['none', text],
  ] as const)('undoes %s', (compression, body) => {
    expect(Buffer.from(inflate(body, compression, max))).toEqual(text);
  });

  it.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['none', text],
  ] as const)('refuses more than the limit of %s', (compression, body) => {
    expect(() => inflate(body, compression, max - 1)).toThrow(TooLarge);
  });

  it('stops a bomb at the limit', () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024)));
    expect(bomb.length).toBeLessThan(2000);
    const layer = inflate(bomb, 'gzip', 1024 * 1024);
    expect(() => inflate(layer, 'gzip', 1024 * 1024)).toThrow(TooLarge);
  });

  it.each([
    ['gzip', gzipSync(text).subarray(0, -9)],
    ['gzip', text],
    ['gzip', Buffer.alloc(0)],
    ['deflate', Buffer.from([0xff, 0xff])],
  ] as const)('refuses what is not %s', (compression, body) => {
    expect(() => inflate(body, compression, max)).toThrow(BadRequest);
  });
});
