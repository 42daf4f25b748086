import { describe, expect, it } from 'vitest';
import {
  type ChatMessage,
  call,
  calls,
  type Part,
  says,
  scenario,
  user,
} from '../../test/decisions/scenario.ts';
import { findDefects } from '../findings/find.ts';
import { deriveTrajectory } from './derive.ts';

// Content is off by default in the instrumentation: parts then come bare. What is not known is not empty.
const bare = (...parts: Part[]): ChatMessage => ({
  role: 'assistant',
  parts,
  finish_reason: 'stop',
});
const bareCall = (id: string, name: string): Part => ({ type: 'tool_call', id, name });

function trajectoryOf(...outputs: ChatMessage[]) {
  const s = scenario();
  for (const output of outputs) s.model({ input: [user('go')], output, finish_reason: 'stop' });
  return deriveTrajectory(s.evidence());
}

const answerOf = (output: ChatMessage) => trajectoryOf(output).steps[0]?.chosen?.answer;
const namesOf = (output: ChatMessage) =>
  findDefects(trajectoryOf(output)).map(({ finding }) => finding);

describe('an answer', () => {
  it('without its text is an answer of unknown text, and no finding', () => {
    expect(answerOf(bare({ type: 'text' }))).toEqual({ type: 'answer', text: null });
    expect(namesOf(bare({ type: 'text' }))).toEqual([]);
  });

  it('of no parts, or of an empty text, is empty', () => {
    expect(namesOf(bare())).toEqual(['empty_answer']);
    expect(namesOf(says(''))).toEqual(['empty_answer']);
  });

  it('that refuses is a refusal without its words too', () => {
    expect(answerOf(bare({ type: 'refusal' }))).toEqual({ type: 'refusal', text: null });
    expect(namesOf(bare({ type: 'refusal' }))).toEqual(['refusal']);
  });
});

describe('a call', () => {
  const callOf = (part: Part, span = {}) => {
    const s = scenario();
    s.model({ input: [user('go')], output: calls(part) });
    s.tool({ tool_name: 'look', tool_call_id: 'a', ...span });
    return deriveTrajectory(s.evidence()).calls[0];
  };

  it('without its arguments is told apart by the hash of its span, and judged by what that says', () => {
    const span = { tool_arguments_hash: 'abc', tool_arguments_valid: false };
    expect(callOf(bareCall('a', 'look'), span)).toMatchObject({
      args: null,
      argsText: null,
      argsKey: '#abc',
      valid: false,
    });
    expect(callOf(bareCall('a', 'look'))).toMatchObject({ argsKey: null, valid: null });
  });

  it('with none has an empty object of them', () => {
    expect(callOf(call('a', 'look', ''))).toMatchObject({ args: {}, argsText: '' });
  });

  it('of a tool that was not approved is denied', () => {
    const span = { status: 'error', error_type: 'approval_denied' };
    expect(callOf(bareCall('a', 'look'), span)?.result).toMatchObject({ status: 'denied' });
  });
});
