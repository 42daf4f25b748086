import { describe, expect, it } from 'vitest';
import { batch, log, type Plain, span } from './fixtures.ts';
import { createNormaliser } from './normaliser.ts';

const normaliser = await createNormaliser();

function read(name: string, attributes: Readonly<Record<string, Plain>>, service = '') {
  const record = log({ eventName: name, attributes });
  const resource = service === '' ? {} : { 'service.name': service };
  const { logs, models } = normaliser.normaliseLogs('p', [batch([record], { resource })]);
  return { row: logs[0]!, models };
}

describe('a log record that reports a call', () => {
  it('has the tokens of Claude Code with what was cached, which it leaves out', () => {
    const { row, models } = read('claude_code.api_request', {
      'session.id': 's',
      model: 'claude-sonnet-4-5',
      input_tokens: '10',
      output_tokens: 5,
      cache_read_tokens: 100,
      cache_creation_tokens: 20,
      cost_usd: '0.25',
      duration_ms: 1500,
      request_id: 'req_1',
    });
    expect(row).toMatchObject({
      kind: 'llm',
      provider: 'anthropic',
      request_model: 'claude-sonnet-4-5',
      response_id: 'req_1',
      input_tokens: 130n,
      output_tokens: 5n,
      cache_read_tokens: 100n,
      cache_write_tokens: 20n,
      cost_reported: 0.25,
      duration_ms: 1500,
      call_status: '',
      conversation_id: 's',
    });
    expect(models).toEqual([{ provider: 'anthropic', model: 'claude-sonnet-4-5' }]);
  });

  it('may have failed without a token', () => {
    const { row } = read('claude_code.api_error', {
      model: 'claude-sonnet-4-5',
      error: 'overloaded',
    });
    expect(row).toMatchObject({ kind: 'llm', call_status: 'span', input_tokens: null });
  });

  it('is of Codex only where the response is complete', () => {
    const of = (kind: string) =>
      read('codex.sse_event', {
        'event.kind': kind,
        'conversation.id': 'c',
        model: 'gpt-5-codex',
        input_token_count: '7',
        output_token_count: '3',
      }).row;
    expect(of('response.completed')).toMatchObject({
      kind: 'llm',
      input_tokens: 7n,
      provider: 'openai',
    });
    expect(of('response.created').kind).toBe('');
  });

  it('is of Claude Code with the mode that it was served in, which has a price of its own', () => {
    const of = (speed: string) =>
      read('claude_code.api_request', { model: 'claude-opus-4-8', speed }).row.service_tier;
    expect([of('fast'), of('normal')]).toEqual(['fast', 'normal']);
  });

  it('is of Gemini CLI with its thoughts in the output', () => {
    const values = {
      'session.id': 's',
      prompt_id: 's########1',
      model: 'gemini-2.5-pro',
      input_token_count: 100,
      output_token_count: 20,
      cached_content_token_count: 40,
      thoughts_token_count: 30,
      total_token_count: 150,
      duration_ms: 900,
    };
    const { row } = read('gemini_cli.api_response', values, 'gemini-cli');
    expect(row).toMatchObject({
      kind: 'llm',
      input_tokens: 100n,
      output_tokens: 50n,
      cache_read_tokens: 40n,
      reasoning_tokens: 30n,
      duration_ms: 900,
    });
  });

  it('tells of tools whether they failed, and of people what they allowed', () => {
    const tool = (success: string) =>
      read('claude_code.tool_result', { tool_name: 'Bash', success, duration_ms: '12' }).row;
    expect(tool('true')).toMatchObject({ kind: 'tool', tool_name: 'Bash', call_status: '' });
    expect(tool('false')).toMatchObject({ call_status: 'flag', duration_ms: 12 });
    const decided = (decision: string, source: string) =>
      read('claude_code.tool_decision', { tool_name: 'Bash', decision, source }).row;
    expect(decided('reject', 'user_reject')).toMatchObject({
      kind: 'approval',
      call_status: 'denied',
    });
    expect(decided('accept', 'user_temporary').call_status).toBe('approved');
    // A setting decided, nobody was asked.
    expect(decided('accept', 'config').kind).toBe('');
  });

  it('of OpenTelemetry is a model call with usage, not an agent’s sum', () => {
    const details = 'gen_ai.client.inference.operation.details';
    const of = (operation: string, tokens: Record<string, Plain>) =>
      read(details, {
        'gen_ai.operation.name': operation,
        'gen_ai.request.model': 'gpt-4o',
        ...tokens,
      }).row;
    const usage = { 'gen_ai.usage.input_tokens': 5, 'gen_ai.usage.output_tokens': 2 };
    expect(of('chat', usage)).toMatchObject({ kind: 'llm', input_tokens: 5n });
    expect(of('chat', {}).kind).toBe('');
    expect(of('invoke_agent', usage).kind).toBe('');
  });

  it('names no task but its session, and that only where an agent keeps one', () => {
    const started = { 'conversation.id': 'c' };
    expect(read('codex.conversation_starts', started, 'codex_cli_rs').row).toMatchObject({
      task_id: '',
      conversation_id: 'c',
    });
    const lone = log({ eventName: 'codex.user_prompt', traceId: '', attributes: started });
    const page = log({ eventName: 'page_view', traceId: '', attributes: { 'session.id': 'web' } });
    const { logs } = normaliser.normaliseLogs('p', [batch([lone, page])]);
    expect(logs.map(({ task_id, task_id_kind }) => [task_id, task_id_kind])).toEqual([
      ['c', 'session'],
      ['', ''],
    ]);
  });
});

describe('a span', () => {
  it('names the key that a gateway billed, and the tier of an Anthropic answer', () => {
    const { spans } = normaliser.normaliseSpans('p', [
      batch([
        span({
          attributes: {
            'metadata.user_api_key_alias': 'team-a',
            'metadata.user_api_key_hash': 'h',
          },
        }),
        span({
          attributes: { 'metadata.user_api_key_alias': 'None', 'metadata.user_api_key_hash': 'h' },
        }),
        span({
          attributes: {
            'anthropic.request.service_tier': 'auto',
            'anthropic.response.service_tier': 'priority',
          },
        }),
      ]),
    ]);
    expect(spans.map(({ api_key }) => api_key)).toEqual(['team-a', 'h', '']);
    expect(spans[2]?.service_tier).toBe('priority');
  });
});
