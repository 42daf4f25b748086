import { beforeAll, describe, expect, it } from 'vitest';
import { batch, type Plain, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';
import { errorIn, shapeOf } from './tool.ts';

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

function tool(attributes: { [key: string]: Plain }, statusCode = 0) {
  const fields = { name: 'execute_tool book', statusCode };
  const all = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'book',
    ...attributes,
  };
  const { spans } = normaliser.normaliseSpans('p', [batch([span({ ...fields, attributes: all })])]);
  return spans[0]!;
}

describe('errors in a tool result', () => {
  it.each([
    ['Error: payment amount does not add up', 'content'],
    ['  error', 'content'],
    ['Traceback (most recent call last)', 'content'],
    ['FAILED to book', 'content'],
    ['"Error: quoted"', 'content'],
    ['{"error":"no seat"}', 'content'],
    ['{"errors":["a"]}', 'content'],
    ['{"exception":{"type":"X"}}', 'content'],
    ['{"ok":false}', 'content'],
    ['{"success": false}', 'content'],
    ['{"status_code":404}', 'content'],
    ['{"content":[],"isError":true}', 'flag'],
    ['{"error":null,"errors":[],"exception":""}', ''],
    ['{"status_code":200,"ok":true}', ''],
    ['{"data":{"error":"nested"}}', ''],
    ['No error found', ''],
    ['[{"error":"x"}]', ''],
    ['{"error": cut', ''],
    ['', ''],
  ])('%s → %s', (result, by) => {
    expect(errorIn(result)).toBe(by);
  });

  it('are found by the span first, then by a flag, then by the content', () => {
    const result = { 'gen_ai.tool.call.result': 'Error: no' };
    expect(tool(result, 2).tool_error_by).toBe('span');
    expect(tool({ ...result, is_error: true }).tool_error_by).toBe('flag');
    expect(tool({ ...result, tool_success: 'False' }).tool_error_by).toBe('flag');
    expect(tool(result).tool_error_by).toBe('content');
    expect(tool({ 'gen_ai.tool.call.result': 'fine', is_error: false }).tool_error_by).toBe('');
  });

  it('are known at the metadata level too', () => {
    expect(tool({ 'agent.tool.result.error_like': true }).tool_error_by).toBe('content');
    expect(tool({ 'agent.tool.result.error_like': false }).tool_error_by).toBe('');
  });

  it('are an MCP tool error when error.type says so', () => {
    const mcp = { 'mcp.method.name': 'tools/call', 'error.type': 'tool_error' };
    expect(tool(mcp)).toMatchObject({ tool_error_by: 'flag', tool_type: 'mcp' });
  });

  it('belong to tool spans only', () => {
    const attributes = { 'gen_ai.operation.name': 'chat', is_error: true };
    const { spans } = normaliser.normaliseSpans('p', [batch([span({ attributes })])]);
    expect(spans[0]?.tool_error_by).toBe('');
  });
});

describe('a tool span', () => {
  it('hashes equal arguments equally, whatever the order of their keys', () => {
    const a = tool({ 'gen_ai.tool.call.arguments': '{"a":1,"b":[{"x":1,"y":2}]}' });
    const b = tool({ 'gen_ai.tool.call.arguments': '{ "b": [{"y":2,"x":1}], "a": 1 }' });
    const c = tool({ 'gen_ai.tool.call.arguments': '{"a":2,"b":[]}' });
    expect(a.tool_arguments_hash).toMatch(/^[0-9a-f]{16}$/);
    expect(a.tool_arguments_hash).toBe(b.tool_arguments_hash);
    expect(a.tool_arguments_hash).not.toBe(c.tool_arguments_hash);
  });

  it('takes arguments and results that are values, not text', () => {
    const row = tool({
      'gen_ai.tool.call.arguments': { city: 'Paris', days: 2 },
      'gen_ai.tool.call.result': { error: 'no forecast' },
    });
    const text = tool({ 'gen_ai.tool.call.arguments': '{"city":"Paris","days":2}' });
    expect(row.tool_arguments).toHaveLength(1);
    expect(row.tool_arguments_hash).toBe(text.tool_arguments_hash);
    expect(row.tool_error_by).toBe('content');
  });

  it('measures and shapes its result', () => {
    const row = tool({ 'gen_ai.tool.call.result': '{"b":1,"a":"é"}' });
    expect(row).toMatchObject({ tool_result_bytes: 16n, tool_result_shape: 'object(a,b)' });
  });

  it('prefers what the instrumentation states', () => {
    const row = tool({
      'agent.tool.arguments.hash': 'aa',
      'agent.tool.arguments.valid': false,
      'agent.tool.result.hash': 'bb',
      'agent.tool.result.bytes': 7,
      'agent.tool.result.shape': 'object(x)',
      'agent.tool.result.valid': true,
      'agent.tool.effect': 'write',
      'agent.tool.risk': 'high',
      'agent.tool.polling': true,
      'agent.tool.idempotency_key': 'k1',
      'gen_ai.tool.call.arguments': '{}',
      'gen_ai.tool.call.result': 'x',
    });
    expect(row).toMatchObject({
      tool_arguments_hash: 'aa',
      tool_arguments_valid: 0,
      tool_result_hash: 'bb',
      tool_result_bytes: 7n,
      tool_result_shape: 'object(x)',
      tool_result_valid: 1,
      tool_effect: 'write',
      tool_risk: 'high',
      tool_polling: 1,
      tool_side_effect_key: 'k1',
    });
  });

  it('named like a handoff is one only without a tool behind it', () => {
    const { spans } = normaliser.normaliseSpans('p', [
      batch([
        span({ name: 'handoff to Refunds', attributes: { 'openinference.span.kind': 'TOOL' } }),
        span({
          name: 'execute_tool transfer_to_human',
          attributes: {
            'gen_ai.operation.name': 'execute_tool',
            'gen_ai.tool.name': 'transfer_to_human',
          },
        }),
      ]),
    ]);
    expect(spans.map((s) => [s.kind, s.handoff_to])).toEqual([
      ['handoff', 'Refunds'],
      ['tool', ''],
    ]);
  });
});

describe('the shape of a result', () => {
  it.each([
    ['', 'empty'],
    ['[]', 'empty'],
    ['{}', 'empty'],
    ['null', 'empty'],
    ['plain words', 'text'],
    ['12.5', 'number'],
    ['true', 'boolean'],
    ['[1,2]', 'array'],
    ['{"b":1,"a":{"c":2}}', 'object(a,b)'],
  ])('%s is %s', (result, shape) => {
    expect(shapeOf(result)).toBe(shape);
  });
});
