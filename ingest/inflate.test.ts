import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { inflate } from './inflate.ts';
import { BadRequest } from './otlp/refusal.ts';
import { TooLarge } from './too-large.ts';
import { unzstdPortable } from './zstd.ts';

const text = Buffer.from('{"resourceSpans":[]}'.repeat(20));
const max = text.length;
// Written by the zstd command: of a file, of a pipe (whose size it does not know), and without a checksum.
const zstd = {
  sized: Buffer.from('KLUv/WSQAN0AAKB7InJlc291cmNlU3BhbnMiOltdfQEA8k6dTHO0OIQ=', 'base64'),
  unsized: Buffer.from('KLUv/QRY3QAAoHsicmVzb3VyY2VTcGFucyI6W119AQDyTp1Mc7Q4hA==', 'base64'),
  unchecked: Buffer.from('KLUv/QBo3QAAoHsicmVzb3VyY2VTcGFucyI6W119AQDyTp1M', 'base64'),
};
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);

describe('inflate', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['gzip', Buffer.concat([gzipSync(text.subarray(0, 100)), gzipSync(text.subarray(100))])],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['zstd', zstd.sized],
    ['zstd', zstd.unsized],
    ['zstd', zstd.unchecked],
    ['zstd', Buffer.concat([skippable, zstd.unsized])],
    ['none', text],
  ] as const)('undoes %s', (compression, body) => {
    expect(Buffer.from(inflate(body, compression, max))).toEqual(text);
  });

  it.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['zstd', zstd.sized],
    ['zstd', zstd.unsized],
    ['zstd', Buffer.concat([zstd.unsized, zstd.unsized])],
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
    ['zstd', text],
    ['zstd', zstd.sized.subarray(0, -6)],
    ['zstd', zstd.sized.subarray(0, 5)],
    ['zstd', Buffer.concat([zstd.sized, Buffer.from('x')])],
  ] as const)('refuses what is not %s', (compression, body) => {
    expect(() => inflate(body, compression, max)).toThrow(BadRequest);
  });

  // Window descriptor 0xf8 asks for 2^41 bytes before the first one is decoded.
  it('refuses a zstd window that would take the memory away', () => {
    const greedy = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xf8, 1, 0, 0]);
    expect(() => unzstdPortable(greedy, max)).toThrow(TooLarge);
  });

  it('answers any flipped bit of zstd with a result or an error, in no time', () => {
    for (let bit = 0; bit < zstd.unsized.length * 8; bit += 1) {
      const flipped = Buffer.from(zstd.unsized);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        expect(inflate(flipped, 'zstd', max).length).toBeLessThanOrEqual(max);
      } catch (error) {
        expect(error instanceof BadRequest || error instanceof TooLarge).toBe(true);
      }
    }
  });
});
