import { describe, expect, it } from 'vitest';
import { callsOf } from './calls.ts';
import { ms, span } from './fixtures.ts';
import type { TaskSpan } from './telemetry.ts';
import { plantTrace } from './trace.ts';

const usage = (input: bigint, output: bigint) => ({ input_tokens: input, output_tokens: output });

function counted(...spans: readonly TaskSpan[]) {
  const { calls } = callsOf(plantTrace('t1', spans, []));
  return calls.map((call) => call.span.span_id).sort();
}

describe('model calls', () => {
  it('count at the leaf: sums on agents, workflows and tools above do not', () => {
    expect(
      counted(
        span({ span_id: 'flow', kind: 'workflow', ...usage(30n, 3n) }),
        span({ span_id: 'agent', parent_id: 'flow', kind: 'agent', ...usage(30n, 3n) }),
        span({ span_id: 'c1', parent_id: 'agent', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'step', parent_id: 'agent', kind: 'task', ...usage(20n, 2n) }),
        span({ span_id: 'c2', parent_id: 'step', kind: 'llm', ...usage(20n, 2n) }),
        span({ span_id: 'e', parent_id: 'step', kind: 'embedding', ...usage(5n, 0n) }),
      ),
    ).toEqual(['c1', 'c2', 'e']);
  });

  it('count the innermost of nested model spans with usage', () => {
    expect(
      counted(
        span({ span_id: 'langchain', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'sdk', parent_id: 'langchain', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'http', parent_id: 'sdk', kind: 'http' }),
        span({ span_id: 'gateway', parent_id: 'http', kind: 'llm', ...usage(10n, 1n) }),
      ),
    ).toEqual(['gateway']);
  });

  it('count the wrapper when only it has usage', () => {
    expect(
      counted(
        span({ span_id: 'sdk', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'raw', parent_id: 'sdk', kind: 'llm' }),
        span({ span_id: 'empty', parent_id: 'sdk', kind: 'llm', ...usage(0n, 0n) }),
      ),
    ).toEqual(['sdk']);
  });

  it('count every leaf under a wrapper without usage, failed ones too', () => {
    expect(
      counted(
        span({ span_id: 'wrapper', kind: 'llm' }),
        span({ span_id: 'refused', parent_id: 'wrapper', kind: 'llm', status: 'error' }),
        span({ span_id: 'answer', parent_id: 'wrapper', kind: 'llm', ...usage(9n, 1n) }),
      ),
    ).toEqual(['answer', 'refused']);
  });

  it('do not nest across a tool: a model call that a tool makes is another call', () => {
    expect(
      counted(
        span({ span_id: 'call_llm', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'tool', parent_id: 'call_llm', kind: 'tool', tool_name: 'ask' }),
        span({ span_id: 'sub', parent_id: 'tool', kind: 'agent' }),
        span({ span_id: 'inner', parent_id: 'sub', kind: 'llm', ...usage(7n, 1n) }),
      ),
    ).toEqual(['call_llm', 'inner', 'tool']);
  });

  it('do nest across an agent that is served as a model', () => {
    expect(
      counted(
        span({ span_id: 'client', kind: 'llm', ...usage(30n, 3n) }),
        span({ span_id: 'served', parent_id: 'client', kind: 'agent', ...usage(30n, 3n) }),
        span({ span_id: 'c1', parent_id: 'served', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'c2', parent_id: 'served', kind: 'llm', ...usage(20n, 2n) }),
      ),
    ).toEqual(['c1', 'c2']);
  });

  it('count an agent where no model call below it reports usage', () => {
    const trace = plantTrace(
      't1',
      [
        span({ span_id: 'root', kind: 'workflow' }),
        span({ span_id: 'agent', parent_id: 'root', kind: 'agent', ...usage(50n, 5n) }),
        span({ span_id: 'c1', parent_id: 'agent', kind: 'llm', response_model: 'm-1' }),
        span({ span_id: 'sub', parent_id: 'agent', kind: 'agent', ...usage(20n, 2n) }),
      ],
      [],
    );
    expect(
      callsOf(trace).calls.map(({ span: { span_id }, name, aggregate, covered }) => ({
        span_id,
        name,
        aggregate,
        covered,
      })),
    ).toEqual([
      { span_id: 'c1', name: 'm-1', aggregate: false, covered: true },
      { span_id: 'agent', name: 'm-1', aggregate: true, covered: false },
    ]);
  });

  it('count siblings with one response id once, unless their tokens differ', () => {
    const twin = { parent_id: 'a', kind: 'llm', response_id: 'r1' };
    expect(
      counted(
        span({ span_id: 'a', kind: 'agent' }),
        span({ span_id: 'first', start: ms(1), ...twin, ...usage(10n, 1n) }),
        span({ span_id: 'again', start: ms(2), ...twin, ...usage(10n, 1n) }),
        span({ span_id: 'longer', start: ms(3), ...twin, ...usage(10n, 2n) }),
        span({ span_id: 'anon1', parent_id: 'a', kind: 'llm', ...usage(1n, 1n) }),
        span({ span_id: 'anon2', parent_id: 'a', kind: 'llm', ...usage(1n, 1n) }),
      ),
    ).toEqual(['anon1', 'anon2', 'first', 'longer']);
  });

  it('never count the fetching of a stored response', () => {
    expect(
      counted(
        span({ span_id: 'c', kind: 'llm', ...usage(10n, 1n) }),
        span({ span_id: 'f', kind: 'llm', operation: 'fetch_response', ...usage(10n, 1n) }),
      ),
    ).toEqual(['c']);
  });
});

describe('tool calls', () => {
  const tool = (span_id: string, parent_id: string, tool_name: string, values = {}) =>
    span({ span_id, parent_id, kind: 'tool', tool_name, ...values });

  it('count once through framework, MCP client and MCP server, with the error of whichever saw it', () => {
    const trace = plantTrace(
      't1',
      [
        tool('framework', '', 'search'),
        tool('client', 'framework', 'mcp__github__search'),
        span({ span_id: 'http', parent_id: 'client', kind: 'http' }),
        tool('server', 'http', 'search', { tool_error_by: 'flag' }),
      ],
      [],
    );
    expect(
      callsOf(trace).calls.map(({ span: { span_id }, errorBy }) => [span_id, errorBy]),
    ).toEqual([['framework', 'flag']]);
  });

  it('count separately when a tool calls another, or itself by way of an agent', () => {
    expect(
      counted(
        tool('outer', '', 'research'),
        tool('helper', 'outer', 'search'),
        span({ span_id: 'agent', parent_id: 'helper', kind: 'agent' }),
        tool('again', 'agent', 'search'),
      ),
    ).toEqual(['again', 'helper', 'outer']);
  });

  it('tell nested calls of one tool apart by their call ids', () => {
    expect(
      counted(
        tool('a', '', 'batch', { tool_call_id: 'call_1' }),
        tool('b', 'a', 'batch', { tool_call_id: 'call_2' }),
      ),
    ).toEqual(['a', 'b']);
  });

  it('include a handoff that is made by calling a tool', () => {
    expect(
      counted(
        span({ span_id: 'h', kind: 'handoff', tool_name: 'transfer_to_human_agents' }),
        span({ span_id: 'pure', kind: 'handoff', handoff_to: 'refunds' }),
      ),
    ).toEqual(['h']);
  });
});
