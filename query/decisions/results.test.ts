import { describe, expect, it } from 'vitest';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from './derive.ts';

const link = (s: ReturnType<typeof scenario>) =>
  deriveTrajectory(s.evidence()).calls.map(({ id, tool, result: { span, status, text } }) => [
    id,
    tool,
    span?.span_id.replace(/^0+/, '') ?? null,
    status,
    text,
  ]);

describe('a call and its result', () => {
  it('are joined by place where ids repeat', () => {
    const s = scenario();
    const one = calls(call('same', 'look', { at: 1 }));
    s.model({ input: [user('go')], output: one });
    s.tool({ tool_name: 'look', tool_call_id: 'same', result: 'first' });
    const seen = [user('go'), one, result('same', 'first')];
    s.model({ input: seen, output: calls(call('same', 'look', { at: 2 })) });
    s.tool({ tool_name: 'look', tool_call_id: 'same', result: 'second' });
    expect(link(s)).toEqual([
      ['0000000000000001.c0', 'look', '2', 'ok', 'first'],
      ['0000000000000003.c0', 'look', '4', 'ok', 'second'],
    ]);
  });

  it('are joined by tool and arguments where the span names no id', () => {
    const s = scenario();
    const both = calls(call('a', 'look', { at: 1 }), call('b', 'look', { at: 2 }));
    s.model({ input: [user('go')], output: both });
    s.tool({ tool_name: 'look', args: { at: 2 }, result: 'two' });
    s.tool({ tool_name: 'look', args: { at: 1 }, result: 'one' });
    expect(link(s).map(([, , , , text]) => text)).toEqual(['one', 'two']);
  });

  it('are joined through the next request where there is no span', () => {
    const s = scenario();
    const one = calls(call('a', 'look', {}), call('b', 'find', {}));
    s.model({ input: [user('go')], output: one });
    s.model({
      input: [user('go'), one, result('a', 'Error: gone'), result('b', { rows: [] })],
      output: says('sorry'),
    });
    expect(link(s)).toEqual([
      ['0000000000000001.c0', 'look', null, 'error', 'Error: gone'],
      ['0000000000000001.c1', 'find', null, 'ok', '{"rows":[]}'],
    ]);
  });

  it('may be missing', () => {
    const s = scenario();
    s.model({ input: [user('go')], output: calls(call('a', 'look', {})) });
    expect(link(s)).toEqual([['0000000000000001.c0', 'look', null, 'missing', null]]);
    const open = scenario({ state: 'running' });
    open.model({ input: [user('go')], output: calls(call('a', 'look', {})) });
    expect(link(open)[0]?.[3]).toBe('unknown');
  });

  it('may be in the answer itself when the provider runs the tool', () => {
    const s = scenario();
    s.model({
      input: [user('go')],
      output: calls(
        { type: 'server_tool_call', id: 'ws', name: 'web_search', server_tool_call: { q: 'x' } },
        { type: 'server_tool_call_response', id: 'ws', server_tool_call_response: 'hits' },
      ),
    });
    expect(link(s)).toEqual([['0000000000000001.c0', 'web_search', null, 'ok', 'hits']]);
  });

  it('are read off the spans where no content was captured', () => {
    const s = scenario();
    s.model({ finish_reason: 'tool_call' });
    s.tool({ tool_name: 'look', tool_call_id: 'a', tool_arguments_valid: false });
    s.tool({ tool_name: 'find', tool_call_id: 'b', tool_error_by: 'flag' });
    s.model({ finish_reason: 'stop' });
    expect(link(s)).toEqual([
      ['0000000000000001.c0', 'look', '2', 'ok', null],
      ['0000000000000001.c1', 'find', '3', 'error', null],
    ]);
    const [first] = deriveTrajectory(s.evidence()).calls;
    expect(first).toMatchObject({ args: null, valid: false, sources: null, unsourced: null });
  });

  it('stand alone when code calls a tool', () => {
    const s = scenario();
    s.tool({
      tool_name: 'look',
      status: 'error',
      tool_error_by: 'span',
      error_type: 'TimeoutError',
    });
    const [own] = deriveTrajectory(s.evidence()).calls;
    expect(own).toMatchObject({ step: null, tool: 'look', result: { status: 'timeout' } });
  });
});

describe('what a tool does', () => {
  it('is what its span says, else its definition, else the first verb of its name', () => {
    const s = scenario();
    const tool = (name: string, annotations?: object) => ({ type: 'function', name, annotations });
    const tools = [
      tool('send_probe', { readOnlyHint: true }),
      tool('get_lease', { readOnlyHint: false }),
      tool('wipe', { destructiveHint: true }),
      tool('list_all', {}),
      tool('cancel_it', { readOnlyHint: true }),
    ];
    const names = tools.map(({ name }) => name);
    const made = calls(...names.map((name) => call(name, name, {})));
    s.model({ input: [user('go')], output: made, tools });
    for (const name of names)
      s.tool({
        tool_name: name,
        tool_call_id: name,
        result: 'x',
        ...(name === 'cancel_it' ? { tool_effect: 'write' } : {}),
      });
    const effects = deriveTrajectory(s.evidence()).calls.map(({ effect, effectInferred }) => [
      effect,
      effectInferred,
    ]);
    expect(effects).toEqual([
      ['read', false],
      ['write', false],
      ['write', false],
      ['read', true],
      ['write', false],
    ]);
  });
});
