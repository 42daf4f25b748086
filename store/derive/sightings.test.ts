import { describe, expect, it } from 'vitest';
import { EPOCH, ms, span } from './fixtures.ts';
import { deriveTasks } from './task.ts';
import type { TaskSpan } from './telemetry.ts';

const call = {
  kind: 'llm',
  response_model: 'gpt-5-mini',
  input_tokens: 1000n,
  output_tokens: 80n,
};
const framework = { ...call, scope_name: 'framework' };
const client = { ...call, scope_name: 'client' };
const cached = { cache_read_tokens: 400n };
const at = (from: number, to: number) => ({ start: ms(from), end: ms(to) });

const calls = (...spans: readonly TaskSpan[]) => {
  const [task] = deriveTasks(
    [span({ span_id: 'root', start: EPOCH, end: ms(9999) }), ...spans],
    [],
  );
  return (task?.['calls.span_id'] ?? []).map(
    (id, i) => `${id}:${task?.['calls.cache_read_tokens'][i]}:${task?.['calls.agent'][i]}`,
  );
};

const at10 = { parent_id: 'root', ...at(10, 100) };
const at20 = { parent_id: 'root', ...at(20, 90) };

describe('a call that two instrumentations saw', () => {
  it('is one when both name its response, whatever they count', () => {
    const a = span({ span_id: 'a', ...at10, ...framework, response_id: 'r', output_tokens: 81n });
    const b = span({ span_id: 'b', ...at20, ...client, response_id: 'r', ...cached });
    expect(calls(a, b)).toEqual(['b:400:']);
  });

  it('is one when they overlap and agree on model and tokens; its agent is that of the deeper', () => {
    const agent = span({ span_id: 'agent', ...at10, kind: 'agent', agent_name: 'support' });
    const a = span({ span_id: 'a', ...at10, ...framework, parent_id: 'agent' });
    const b = span({ span_id: 'b', ...at20, ...client, ...cached });
    expect(calls(agent, a, b)).toEqual(['b:400:support']);
  });

  it('is the outer of two spans when that knows more, and then what is below it is a part', () => {
    const a = span({ span_id: 'a', ...at10, ...framework, ...cached });
    const b = span({ span_id: 'b', ...at20, ...client, parent_id: 'a' });
    const started = { ...client, input_tokens: null, output_tokens: null };
    const c = span({ span_id: 'c', ...at20, ...started, parent_id: 'a' });
    expect(calls(a, b, c)).toEqual(['a:400:']);
  });
});

describe('two calls stay two', () => {
  const twice = (b: Parameters<typeof span>[0]) =>
    calls(span({ span_id: 'a', ...at10, ...framework }), span(b)).length;

  it.each([
    ['of one instrumentation', { ...at20, ...framework }],
    ['one after the other', { parent_id: 'root', ...at(200, 300), ...client }],
    ['of other models', { ...at20, ...client, response_model: 'gpt-4o' }],
    ['of other counts', { ...at20, ...client, input_tokens: 1001n }],
    ['of different kinds', { ...at20, ...client, kind: 'embedding' }],
  ])('%s', (_name, other) => {
    expect(twice({ span_id: 'b', ...other })).toBe(2);
  });

  it('with different responses', () => {
    const a = span({ span_id: 'a', ...at10, ...framework, response_id: 'r1' });
    const b = span({ span_id: 'b', ...at20, ...client, response_id: 'r2' });
    expect(calls(a, b)).toHaveLength(2);
  });

  it('side by side, each seen twice', () => {
    const spans = ['a', 'b'].flatMap((name) => [
      span({ span_id: `${name}1`, ...at10, ...framework }),
      span({ span_id: `${name}2`, ...at20, ...client, ...cached }),
    ]);
    expect(calls(...spans)).toEqual(['a2:400:', 'b2:400:']);
  });

  it('by the thousand, from a server that gives every answer one id', () => {
    const spans = Array.from({ length: 2000 }, (_, i) => {
      const seen = i % 2 === 0 ? framework : client;
      const place = { parent_id: 'root', ...at(10 + i, 11 + i) };
      return span({
        span_id: `s${i}`,
        ...place,
        ...seen,
        response_id: 'same',
        input_tokens: BigInt(i),
      });
    });
    expect(calls(...spans)).toHaveLength(1000);
  });

  it('when a tool made the second', () => {
    const a = span({ span_id: 'a', ...at10, ...framework });
    const tool = span({ span_id: 't', ...at20, kind: 'tool', tool_name: 'ask', parent_id: 'a' });
    const other = { ...client, input_tokens: 7n };
    const b = span({ span_id: 'b', ...at(30, 80), ...other, parent_id: 't' });
    expect(calls(a, tool, b).filter((one) => !one.startsWith('t'))).toHaveLength(2);
  });
});
