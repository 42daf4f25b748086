import { describe, expect, it } from 'vitest';
import {
  call,
  calls,
  result,
  says,
  scenario,
  system,
  user,
} from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from './derive.ts';

interface Context {
  readonly system?: string;
  readonly user?: string;
  readonly found?: unknown;
  readonly said?: string;
  readonly parameters?: object;
  readonly tool?: string;
}

/** Where the arguments of one call come from, in words: `user`, `system`, `tool`; and which have no source. */
function trace(args: unknown, context: Context) {
  const s = scenario();
  const tools = context.parameters
    ? [{ type: 'function', name: context.tool ?? 'book', parameters: context.parameters }]
    : [];
  const asked = [system(context.system ?? 'rules'), user(context.user ?? 'go')];
  const look = calls(call('l', 'look', {}));
  s.model({ input: asked, output: look, tools });
  s.tool({ tool_name: 'look', tool_call_id: 'l', result: JSON.stringify(context.found ?? {}) });
  const seen = [...asked, look, result('l', context.found ?? {})];
  s.model({ input: seen, output: says(context.said ?? 'Shall I?'), tools });
  const then = [...seen, says(context.said ?? 'Shall I?'), user('Please do')];
  s.model({ input: then, output: calls(call('b', context.tool ?? 'book', args)), tools });
  const { steps, calls: made } = deriveTrajectory(s.evidence());
  const kinds = new Map(
    steps.flatMap(({ informed }) => informed ?? []).map((own) => [own.id, own.kind]),
  );
  const own = made.at(-1);
  return {
    sources: own?.sources?.map(({ from, args: paths }) => [kinds.get(from), ...paths]),
    unsourced: own?.unsourced?.map(({ pointer }) => pointer),
  };
}

describe('the source of an argument', () => {
  it('is JSON with the same key before any JSON before text, then the earliest', () => {
    const context = {
      user: 'I am ann_17 and want HAT136',
      found: { flight: 'HAT136', owner: 'ann_17' },
    };
    expect(trace({ flight: 'HAT136', user_id: 'ann_17' }, context).sources).toEqual([
      ['tool_result', '/flight', '/user_id'],
    ]);
    expect(trace({ flight: 'HAT136' }, { ...context, found: {} }).sources).toEqual([
      ['user', '/flight'],
    ]);
  });

  it('is a whole word, whatever its case', () => {
    expect(trace({ code: 'hat136' }, { user: 'take HAT136.' }).sources).toEqual([
      ['user', '/code'],
    ]);
    expect(trace({ code: 'HAT13' }, { user: 'take HAT136.' }).unsourced).toEqual(['/code']);
  });

  it('is a number also with currency and separators, but not a part of a date', () => {
    expect(trace({ price: 1305.5 }, { user: 'it was $1,305.50, no more' }).sources).toEqual([
      ['user', '/price'],
    ]);
    expect(trace({ days: 20 }, { user: 'on 2024-05-20' }).unsourced).toEqual(['/days']);
  });

  it('is never what the model said itself', () => {
    expect(trace({ code: 'ZX81' }, { said: 'How about ZX81?' }).unsourced).toEqual(['/code']);
  });

  it('is told of short values by their key alone', () => {
    expect(
      trace({ name: 'Mia', vip: true }, { user: 'Mia', found: { name: 'Mia', vip: true } }),
    ).toEqual({
      sources: [['tool_result', '/name', '/vip']],
      unsourced: [],
    });
    expect(trace({ name: 'Mia' }, { user: 'I am Mia' })).toEqual({ sources: [], unsourced: [] });
  });

  it('is told of members of an enumeration by their key alone', () => {
    const parameters = { properties: { cabin: { enum: ['economy', 'business'] } } };
    expect(trace({ cabin: 'economy' }, { user: 'economy please', parameters })).toEqual({
      sources: [],
      unsourced: [],
    });
  });

  it('is asked of every number in a call that writes, and of none in one that reads', () => {
    expect(trace({ bags: 3 }, { user: '3 bags', tool: 'book_trip' }).unsourced).toEqual(['/bags']);
    expect(trace({ bags: 3 }, { user: '3 bags', tool: 'get_trip' }).unsourced).toEqual([]);
  });

  it('is not asked of prose, nor of thoughts', () => {
    const prose = 'a summary of what was said in this long conversation so far';
    expect(trace({ text: prose }, {}).unsourced).toEqual([]);
    expect(trace({ thought: 'Xanadu1' }, { tool: 'think' }).unsourced).toEqual([]);
  });

  it('is not looked for in a context that the decision never saw', () => {
    const s = scenario();
    s.model({ input: [user('my code is QX77')], output: says('ok'), parent_id: 'a' });
    s.model({
      input: [user('other')],
      output: calls(call('c', 'book', { code: 'QX77' })),
      parent_id: 'b',
    });
    const [own] = deriveTrajectory(s.evidence()).calls;
    expect(own?.unsourced?.map(({ pointer }) => pointer)).toEqual(['/code']);
  });
});
