import { describe, expect, it } from 'vitest';
import { empty, join, param, sql } from './sql.ts';

describe('sql', () => {
  it('numbers parameters in the order of the text, however it was put together', () => {
    const where = join(
      [sql`a = ${param('String', 'x')}`, empty, sql`b = ${param('UInt8', 2)}`],
      ' AND ',
    );
    const q = sql`SELECT ${param('UInt8', 0)} WHERE ${where} LIMIT ${param('UInt64', 9)}`;
    expect(q.text).toBe(
      'SELECT {p0:UInt8} WHERE a = {p1:String} AND b = {p2:UInt8} LIMIT {p3:UInt64}',
    );
    expect(q.params).toEqual({ p0: 0, p1: 'x', p2: 2, p3: 9 });
    expect(q.inline).toBe(
      "SELECT _CAST(0, 'UInt8') WHERE a = 'x' AND b = _CAST(2, 'UInt8') LIMIT _CAST(9, 'UInt64')",
    );
  });

  it('sends a parameter that stands in several places once', () => {
    const project = param('String', 'p');
    const ids = param('Array(String)', ['a']);
    const q = sql`${project} ${sql`${project} ${ids}`} ${param('String', 'p')} ${ids}`;
    expect(q.text).toBe(
      '{p0:String} {p0:String} {p1:Array(String)} {p2:String} {p1:Array(String)}',
    );
    expect(q.params).toEqual({ p0: 'p', p1: ['a'], p2: 'p' });
  });

  it('takes no bare string, nor anything that only looks like a query', () => {
    const unchecked = sql as (strings: TemplateStringsArray, ...slots: unknown[]) => unknown;
    for (const slot of ['x', 1, null, undefined, { text: 'x', params: {} }, { type: 'String' }]) {
      expect(() => unchecked`SELECT ${slot}`).toThrow(TypeError);
    }
  });

  it.each(['String} OR 1=1 --{p:String', 'String)', "DateTime64(3, 'x')", '', 'a b'])(
    'refuses the type %j',
    (type) => {
      expect(() => param(type, 1)).toThrow(TypeError);
    },
  );

  it.each(['String', 'Array(Tuple(String, UInt64))', "DateTime64(9, 'UTC')", 'Nullable(Float64)'])(
    'accepts the type %s',
    (type) => {
      expect(param(type, null)).toMatchObject({ type, value: null });
    },
  );

  it('binds dates as UTC text of the type’s precision', () => {
    const time = new Date('2026-01-02T03:04:05.678Z');
    const bound = ['Date', 'DateTime', 'DateTime64(3)'].map((type) => param(type, time).value);
    expect(bound).toEqual(['2026-01-02', '2026-01-02 03:04:05', '2026-01-02 03:04:05.678']);
    expect(param('Array(Date)', [time]).value).toEqual(['2026-01-02']);
  });

  it('joins nothing to nothing', () => {
    expect(join([empty, join([], ', ')], ' AND ').text).toBe('');
  });
});
