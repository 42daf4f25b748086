/** A repeatable source of numbers: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  /** Around `median`, multiplied or divided by about `spread` (log-normal, one standard deviation). */
  around(median: number, spread: number): number;
  /** One of `items`, with weights if given (same length, any scale). */
  pick<T>(items: readonly [T, ...T[]], weights?: readonly number[]): T;
  /**
   * Draws that are true in exactly the share `p` of every hundred, in random order: a generated rate then stays what
   * it was meant to be.
   */
  deck(p: number): () => boolean;
  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string;
}

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, ample for demo data. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    chance: (p) => next() < p,
    around: (median, spread) => median * spread ** normal(next(), next()),
    pick: (items, weights = items.map(() => 1)) => {
      let left = next() * weights.reduce((sum, weight) => sum + weight, 0);
      return (
        items.find((_item, index) => {
          left -= weights[index] ?? 0;
          return left < 0;
        }) ?? items[0]
      );
    },
    deck: (p) => {
      let cards: boolean[] = [];
      return () => {
        if (cards.length === 0) {
          cards = Array.from({ length: 100 }, (_unused, card) => card < Math.round(p * 100));
        }
        const [card = false] = cards.splice(Math.floor(next() * cards.length), 1);
        return card;
      };
    },
    hex: (length) => Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join(''),
  };
}

/** Box–Muller: two uniform numbers to one standard normal. */
function normal(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}
