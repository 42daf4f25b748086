import type { Random } from '../../demo/random.ts';

/** An integer in [0, n). */
export function below(random: Random, n: number): number {
  return Math.floor(random.next() * n);
}

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const interesting = [0x00, 0x01, 0x07, 0x0a, 0x0b, 0x12, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x5d, 0x7b];

const truncate: Mutation = (bytes, random) => bytes.subarray(0, below(random, bytes.length));

const flipBits: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  for (let n = 1 + below(random, 8); n > 0; n -= 1) {
    const at = below(random, out.length);
    out[at] = (out[at] ?? 0) ^ (1 << below(random, 8));
  }
  return out;
};

const overwrite: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  for (let n = 1 + below(random, 16); n > 0; n -= 1) {
    out[below(random, out.length)] = random.chance(0.5)
      ? random.pick(interesting as [number, ...number[]])
      : below(random, 256);
  }
  return out;
};

const remove: Mutation = (bytes, random) => {
  const from = below(random, bytes.length);
  const to = Math.min(bytes.length, from + 1 + below(random, 64));
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};

const insert: Mutation = (bytes, random) => {
  const at = below(random, bytes.length);
  const more = Buffer.alloc(1 + below(random, 64), random.pick(interesting as [number]));
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
};

/** Copies a stretch over another place: lengths and nesting no longer match what they announce. */
const splice: Mutation = (bytes, random) => {
  const from = below(random, bytes.length);
  const stretch = bytes.subarray(from, from + 1 + below(random, 256));
  const at = below(random, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), stretch, bytes.subarray(at)]);
};

const repeat: Mutation = (bytes, random) =>
  Buffer.concat(Array.from({ length: 2 + below(random, 8) }, () => bytes));

const junk: Mutation = (bytes, random) =>
  Buffer.from(bytes.subarray(0, 4096)).map(() => below(random, 256)) as Buffer;

export const mutations: Readonly<Record<string, Mutation>> = {
  truncate,
  flip: flipBits,
  overwrite,
  remove,
  insert,
  splice,
  repeat,
  junk,
};
