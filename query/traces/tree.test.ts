import { describe, expect, it } from 'vitest';
import { placeSpans, type TreeSpan } from './tree.ts';

function span(id: string, parent: string, startMs: number, endMs: number): TreeSpan {
  return {
    trace_id: 't',
    span_id: id,
    parent_id: parent,
    start: BigInt(startMs) * 1_000_000n,
    end: BigInt(endMs) * 1_000_000n,
  };
}

const shape = (spans: readonly TreeSpan[]) =>
  placeSpans(spans).map(({ span, depth, self_ms, critical }) => [
    span.span_id,
    depth,
    self_ms,
    critical,
  ]);

describe('placeSpans', () => {
  it('orders depth first by start and counts overlapping children once in self time', () => {
    // root 0–100; a 10–40 and b 30–60 overlap: 50 ms covered; c under b.
    expect(
      shape([
        span('b', 'root', 30, 60),
        span('c', 'b', 35, 55),
        span('root', '', 0, 100),
        span('a', 'root', 10, 40),
      ]),
    ).toEqual([
      ['root', 0, 50, true],
      ['a', 1, 30, false],
      ['b', 1, 10, true],
      ['c', 2, 20, true],
    ]);
  });

  it('shares the time of the root out along its critical path', () => {
    const placed = placeSpans([
      span('root', '', 0, 100),
      span('a', 'root', 10, 40),
      span('b', 'root', 30, 60),
      span('c', 'b', 35, 55),
    ]);
    expect(placed.map((own) => [own.span.span_id, own.critical_ms])).toEqual([
      ['root', 70],
      ['a', 0],
      ['b', 10],
      ['c', 20],
    ]);
  });

  it('keeps a span on the path that by its clock ended a little after what waited for it', () => {
    const placed = placeSpans([
      span('root', '', 0, 100),
      span('a', 'root', 10, 41),
      span('b', 'root', 40, 101),
      span('late', 'root', 50, 140),
    ]);
    expect(placed.map((own) => [own.span.span_id, own.critical_ms])).toEqual([
      ['root', 10],
      ['a', 30],
      ['b', 60],
      ['late', 0],
    ]);
  });

  it('makes a root of a span whose parent has not arrived', () => {
    expect(shape([span('x', 'missing', 5, 6)])).toEqual([['x', 0, 1, true]]);
  });

  it('places every span of a ring of parents once', () => {
    const placed = shape([span('a', 'b', 0, 2), span('b', 'a', 1, 2)]);
    expect(placed.map(([id, depth]) => [id, depth])).toEqual([
      ['a', 0],
      ['b', 1],
    ]);
  });

  it('gives a span that ended before it started no negative time', () => {
    expect(shape([span('x', '', 10, 5)])).toEqual([['x', 0, 0, true]]);
  });
});
