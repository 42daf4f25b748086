import { beforeAll, describe, expect, it } from 'vitest';
import type { SpanRow } from '../../store/tables/spans.ts';
import type { OtlpEvent } from '../otlp/model.ts';
import { batch, event, noon, type Plain, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

interface Given {
  readonly name?: string;
  readonly scope?: string;
  readonly parent?: string;
  readonly resource?: { readonly [key: string]: Plain };
  readonly attributes?: { readonly [key: string]: Plain };
  readonly events?: readonly OtlpEvent[];
}

function read({ name = 'x', parent = '', attributes = {}, events = [], ...context }: Given) {
  const items = [span({ name, parentSpanId: parent, attributes, events })];
  const { spans, messages } = normaliser.normaliseSpans('p', [batch(items, context)]);
  const contents = new Map(messages.map((m) => [m.hash, m.content]));
  const parse = (hashes: readonly bigint[]) => hashes.map((h) => JSON.parse(contents.get(h)!));
  return { row: spans[0] as SpanRow, parse };
}

const text = (content: string) => ({ type: 'text', content });

describe('OpenInference', () => {
  const given = {
    scope: 'openinference.instrumentation.langchain',
    attributes: {
      'openinference.span.kind': 'LLM',
      'llm.model_name': 'gpt-4o',
      'llm.provider': 'azure',
      'llm.token_count.prompt': 100,
      'llm.token_count.completion': 20,
      'llm.token_count.prompt_details.cache_read': 60,
      'llm.cost.total': 0.002,
      'llm.input_messages.0.message.role': 'system',
      'llm.input_messages.0.message.content': 'Be brief',
      'llm.input_messages.1.message.role': 'user',
      'llm.input_messages.1.message.contents.0.message_content.type': 'text',
      'llm.input_messages.1.message.contents.0.message_content.text': 'Hi',
      'llm.input_messages.2.message.role': 'tool',
      'llm.input_messages.2.message.tool_call_id': 'c0',
      'llm.input_messages.2.message.content': 'ok',
      'llm.output_messages.0.message.role': 'assistant',
      'llm.output_messages.0.message.tool_calls.0.tool_call.id': 'c1',
      'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'f',
      'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': '{"a":1}',
      'llm.tools.0.tool.json_schema': '{"type":"function","function":{"name":"f"}}',
      'session.id': 's1',
      'user.id': 'u1',
      metadata: '{"task_id":"t1","langgraph_node":"n"}',
    },
  };

  it('model span', () => {
    const { row, parse } = read(given);
    expect(row).toMatchObject({
      convention: 'openinference',
      framework: 'langchain',
      kind: 'llm',
      provider: 'azure.ai.openai',
      response_model: 'gpt-4o',
      input_tokens: 100n,
      cache_read_tokens: 60n,
      cost_reported: 0.002,
      conversation_id: 's1',
      user_id: 'u1',
      task_id: 't1',
    });
    expect(parse(row.system_instructions)).toEqual([[text('Be brief')]]);
    expect(parse(row.input_messages)).toEqual([
      { role: 'user', parts: [text('Hi')] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c0', response: 'ok' }] },
    ]);
    expect(parse(row.output_messages)).toEqual([
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
      },
    ]);
    expect(parse(row.tool_definitions)).toEqual([{ type: 'function', name: 'f' }]);
    expect(new Map(row.attributes).get('llm.input_messages.1.message.role')).toBe('user');
    expect(new Map(row.payload).has('llm.input_messages.2.message.content')).toBe(true);
  });

  it('tool span reads input and output values', () => {
    const { row } = read({
      attributes: {
        'openinference.span.kind': 'TOOL',
        'tool.name': 'search',
        'tool.parameters': '{"type":"object"}',
        'input.value': '{"q":"x"}',
        'output.value': 'Error: no',
      },
    });
    expect(row).toMatchObject({ kind: 'tool', tool_name: 'search', tool_error_by: 'content' });
    expect(row.tool_arguments).toHaveLength(1);
  });

  it('chain is a workflow at the root, a task below it', () => {
    const attributes = { 'openinference.span.kind': 'CHAIN', 'llm.model_name': 'gpt-4o' };
    expect(read({ attributes }).row.kind).toBe('workflow');
    expect(read({ attributes, parent: '1'.repeat(16) }).row.kind).toBe('task');
  });
});

describe('Traceloop', () => {
  it('indexed prompts and completions', () => {
    const { row, parse } = read({
      scope: 'opentelemetry.instrumentation.openai.v1',
      attributes: {
        'llm.request.type': 'chat',
        'gen_ai.system': 'OpenAI',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.prompt_tokens': 10,
        'gen_ai.usage.completion_tokens': 4,
        'llm.usage.total_tokens': 14,
        'gen_ai.usage.cache_read_input_tokens': 3,
        'gen_ai.prompt.0.role': 'user',
        'gen_ai.prompt.0.content': 'Hi',
        'gen_ai.completion.0.role': 'assistant',
        'gen_ai.completion.0.finish_reason': 'tool_calls',
        'gen_ai.completion.0.tool_calls.0.id': 'c1',
        'gen_ai.completion.0.tool_calls.0.name': 'f',
        'gen_ai.completion.0.tool_calls.0.arguments': '{"a":1}',
        'llm.request.functions.0.name': 'f',
        'llm.request.functions.0.parameters': '{"type":"object"}',
        'traceloop.workflow.name': 'support',
        'traceloop.association.properties.session_id': 's',
        'gen_ai.prompt.name': 'support-prompt',
      },
    });
    expect(row).toMatchObject({
      convention: 'traceloop',
      kind: 'llm',
      provider: 'openai',
      input_tokens: 10n,
      cache_read_tokens: 3n,
      finish_reason: 'tool_call',
      workflow: 'support',
      conversation_id: 's',
      prompt_name: 'support-prompt',
    });
    expect(parse(row.input_messages)).toEqual([{ role: 'user', parts: [text('Hi')] }]);
    expect(parse(row.output_messages)).toMatchObject([
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
      },
    ]);
    expect(parse(row.tool_definitions)).toEqual([
      { type: 'function', name: 'f', parameters: { type: 'object' } },
    ]);
  });

  it('an inference type wins over the span kind', () => {
    const attributes = { 'traceloop.span.kind': 'task', 'llm.request.type': 'chat' };
    expect(read({ attributes }).row.kind).toBe('llm');
    expect(read({ attributes: { 'traceloop.span.kind': 'task' } }).row.kind).toBe('task');
  });
});

describe('the AI SDK', () => {
  it('inner call with its answer and milliseconds to the first chunk', () => {
    const { row, parse } = read({
      scope: 'ai',
      name: 'ai.streamText.doStream',
      attributes: {
        'ai.operationId': 'ai.streamText.doStream',
        'operation.name': 'ai.streamText.doStream support',
        'ai.model.id': 'gpt-4o',
        'ai.model.provider': 'openai.responses',
        'ai.usage.inputTokens': 50,
        'ai.usage.outputTokens': 5,
        'ai.usage.cachedInputTokens': 20,
        'ai.response.msToFirstChunk': 321.5,
        'ai.response.finishReason': 'tool-calls',
        'ai.response.text': 'Let me see',
        'ai.response.toolCalls': '[{"toolCallId":"c1","toolName":"f","input":{"a":1}}]',
        'ai.prompt.messages': '[{"role":"user","content":[{"type":"text","text":"Hi"}]}]',
        'ai.prompt.tools': ['{"type":"function","name":"f","inputSchema":{"type":"object"}}'],
        'ai.telemetry.functionId': 'support',
        'ai.telemetry.metadata.userId': 'u1',
      },
    });
    expect(row).toMatchObject({
      kind: 'llm',
      framework: 'vercel-ai',
      provider: 'openai',
      request_model: 'gpt-4o',
      input_tokens: 50n,
      cache_read_tokens: 20n,
      ttft_ms: 321.5,
      finish_reason: 'tool_call',
      user_id: 'u1',
      workflow: 'support',
    });
    expect(parse(row.input_messages)).toEqual([{ role: 'user', parts: [text('Hi')] }]);
    expect(parse(row.output_messages)).toEqual([
      {
        role: 'assistant',
        parts: [
          text('Let me see'),
          { type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } },
        ],
      },
    ]);
    expect(parse(row.tool_definitions)).toMatchObject([{ name: 'f' }]);
  });

  it('wrapper is an agent, tool call a tool', () => {
    const wrapper = { 'ai.operationId': 'ai.generateText', 'ai.usage.promptTokens': 9 };
    expect(read({ attributes: wrapper }).row.kind).toBe('agent');
    const call = {
      'ai.operationId': 'ai.toolCall',
      'ai.toolCall.name': 'f',
      'ai.toolCall.args': '{"a":1}',
      'ai.toolCall.result': '{"error":"x"}',
    };
    expect(read({ attributes: call }).row).toMatchObject({
      kind: 'tool',
      tool_name: 'f',
      tool_error_by: 'content',
    });
  });

  it('cache of an Anthropic answer lies in the provider metadata', () => {
    const metadata = {
      anthropic: { usage: { cache_read_input_tokens: 900 }, cacheCreationInputTokens: 50 },
    };
    const { row } = read({
      attributes: {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.id': 'claude-sonnet-4',
        'ai.usage.promptTokens': 10,
        'ai.response.providerMetadata': JSON.stringify(metadata),
      },
    });
    expect(row).toMatchObject({
      input_tokens: 960n,
      cache_read_tokens: 900n,
      cache_write_tokens: 50n,
      usage_semantics: 'inferred',
    });
  });
});

describe('LangSmith', () => {
  it('its span kind goes before the operation; the project is no session', () => {
    const { row } = read({
      scope: 'langsmith',
      attributes: {
        'langsmith.span.kind': 'retriever',
        'gen_ai.operation.name': 'embeddings',
        'langsmith.trace.session_id': 'project-uuid',
        'langsmith.metadata.thread_id': 'th1',
        'langsmith.metadata.ls_provider': 'anthropic',
        'gen_ai.system': 'langchain',
      },
    });
    expect(row).toMatchObject({
      kind: 'retriever',
      conversation_id: 'th1',
      provider: 'anthropic',
      framework: 'langchain',
    });
  });
});

describe('Claude Code', () => {
  it('bare keys count where it was detected, and its input excludes the cache', () => {
    const attributes = {
      model: 'claude-sonnet-4-5',
      'gen_ai.system': 'anthropic',
      input_tokens: '12',
      output_tokens: '100',
      cache_read_tokens: '5000',
      cache_creation_tokens: '300',
      ttft_ms: '750',
      request_id: 'req_1',
      stop_reason: 'end_turn',
      'session.id': 's1',
      'prompt.id': 'pr1',
    };
    const name = 'claude_code.llm_request';
    expect(
      read({ name, attributes, resource: { 'service.name': 'claude-code' } }).row,
    ).toMatchObject({
      convention: 'claude_code',
      kind: 'llm',
      request_model: 'claude-sonnet-4-5',
      input_tokens: 5312n,
      cache_read_tokens: 5000n,
      usage_semantics: 'exclusive',
      ttft_ms: 750,
      response_id: 'req_1',
      finish_reason: 'stop',
      conversation_id: 's1',
      task_id: 'pr1',
      task_id_kind: 'declared',
    });
    const elsewhere = read({ name: 'work', attributes: { model: 'golf', input_tokens: 3 } }).row;
    expect(elsewhere).toMatchObject({ kind: 'other', request_model: '', input_tokens: null });
  });
});

describe('other dialects', () => {
  it.each<[string, Given, Partial<SpanRow>]>([
    [
      'Google ADK',
      {
        scope: 'gcp.vertex.agent',
        name: 'call_llm',
        attributes: {
          'gen_ai.system': 'gcp.vertex.agent',
          'gen_ai.request.model': 'gemini-2.5-flash',
          'gcp.vertex.agent.invocation_id': 'inv',
          'gcp.vertex.agent.llm_response':
            '{"usage_metadata":{"prompt_token_count":10,"candidates_token_count":5,"thoughts_token_count":30},"finish_reason":"STOP"}',
        },
      },
      {
        kind: 'llm',
        provider: 'gcp.gemini',
        framework: 'gcp.vertex.agent',
        input_tokens: 10n,
        output_tokens: 35n,
        reasoning_tokens: 30n,
        finish_reason: 'stop',
        task_id: 'inv',
        task_id_kind: 'run',
      },
    ],
    [
      'Strands: milliseconds, cache apart',
      {
        scope: 'strands.telemetry.tracer',
        name: 'chat',
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.system': 'strands-agents',
          'gen_ai.request.model': 'us.anthropic.claude-sonnet-4',
          'gen_ai.usage.input_tokens': 40,
          'gen_ai.usage.output_tokens': 10,
          'gen_ai.usage.total_tokens': 150,
          'gen_ai.usage.cache_read_input_tokens': 70,
          'gen_ai.usage.cache_write_input_tokens': 30,
          'gen_ai.server.time_to_first_token': 420,
        },
      },
      {
        kind: 'llm',
        framework: 'strands-agents',
        input_tokens: 140n,
        ttft_ms: 420,
        usage_semantics: 'exclusive',
      },
    ],
    [
      'OpenLIT: seconds',
      {
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.server.time_to_first_token': 0.42,
          'gen_ai.usage.cost': 0.01,
        },
      },
      { kind: 'llm', ttft_ms: 420, cost_reported: 0.01 },
    ],
    [
      'Langfuse: additive buckets, ISO first token',
      {
        scope: 'langfuse-sdk',
        attributes: {
          'langfuse.observation.type': 'generation',
          'langfuse.observation.model.name': 'gpt-4o',
          'langfuse.observation.usage_details':
            '{"input":10,"input_cached_tokens":90,"output":5,"output_reasoning_tokens":3,"total":108}',
          'langfuse.observation.cost_details': '{"input":0.1,"output":0.2}',
          'langfuse.observation.completion_start_time': `"${new Date(Number(noon / 1_000_000n) + 500).toISOString()}"`,
          'langfuse.observation.input': '[{"role":"user","content":"Hi"}]',
        },
      },
      {
        convention: 'langfuse',
        kind: 'llm',
        input_tokens: 100n,
        cache_read_tokens: 90n,
        output_tokens: 8n,
        reasoning_tokens: 3n,
        cost_reported: 0.1 + 0.2,
        ttft_ms: 500,
      },
    ],
    [
      'MLflow: JSON-encoded values',
      {
        attributes: {
          'mlflow.spanType': '"CHAT_MODEL"',
          'mlflow.llm.model': '"gpt-4o"',
          'mlflow.chat.tokenUsage': '{"input_tokens":10,"output_tokens":2,"total_tokens":12}',
        },
      },
      { kind: 'llm', request_model: 'gpt-4o', input_tokens: 10n, output_tokens: 2n },
    ],
    [
      'Mastra',
      {
        scope: '@mastra/otel-exporter',
        attributes: { 'mastra.span.type': 'mcp_tool_call', 'gen_ai.tool.name': 'f' },
      },
      { kind: 'tool', tool_type: 'mcp', framework: 'mastra' },
    ],
    [
      'Logfire, by name and its own scope only',
      { scope: 'logfire.openai_agents', name: "Agent run: 'x'", attributes: {} },
      { kind: 'agent' },
    ],
    ['a span named like Logfire elsewhere', { name: "Agent run: 'x'" }, { kind: 'other' }],
    [
      'LiteLLM, whose raw child is no second call',
      {
        scope: 'litellm',
        name: 'raw_gen_ai_request',
        attributes: { 'gen_ai.request.model': 'm', 'gen_ai.usage.input_tokens': 1 },
      },
      { kind: 'http' },
    ],
    [
      'MCP tools/call',
      { attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'f' } },
      { kind: 'tool', tool_type: 'mcp' },
    ],
    ['a tool by its name alone', { attributes: { 'gen_ai.tool.name': 'f' } }, { kind: 'tool' }],
    [
      'a capitalised operation',
      { attributes: { 'gen_ai.operation.name': 'Chat' } },
      { kind: 'llm', operation: 'chat' },
    ],
    [
      'an agent by its name',
      { name: 'invoke_agent refunds', attributes: { 'gen_ai.operation.name': 'invoke_agent' } },
      { kind: 'agent', agent_name: 'refunds' },
    ],
    ['a database', { attributes: { 'db.system': 'postgresql' } }, { kind: 'db', convention: '' }],
    ['HTTP', { attributes: { 'http.request.method': 'GET' } }, { kind: 'http' }],
    [
      'time to the first token by event',
      {
        attributes: { 'gen_ai.operation.name': 'chat' },
        events: [event('gen_ai.content.completion.chunk')],
      },
      { ttft_ms: 1000 },
    ],
    [
      'Laminar: cache writes by lifetime',
      {
        attributes: {
          'lmnr.span.type': 'LLM',
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.cache_creation.input_tokens.ephemeral_5m': 10,
          'gen_ai.usage.cache_creation.input_tokens.ephemeral_1h': 5,
        },
      },
      { kind: 'llm', cache_write_tokens: 15n, cache_write_1h_tokens: 5n, input_tokens: 100n },
    ],
  ])('%s', (_name, given, expected) => {
    expect(read(given).row).toMatchObject(expected);
  });

  it('Logfire announces spans with a copy that is dropped', () => {
    const attributes = { 'logfire.span_type': 'pending_span' };
    const out = normaliser.normaliseSpans('p', [batch([span({ attributes })])]);
    expect([out.spans, out.bounds]).toEqual([[], []]);
  });
});
