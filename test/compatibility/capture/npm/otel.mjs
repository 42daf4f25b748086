// What every npm rig shares: an OTel SDK that exports to the recorder, the model's address, the question and the tool.
import { trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';

export const llm = process.env.FAKE_LLM;
export const openaiBase = `${llm}/v1`;
export const system = 'You are a weather agent.';
export const question = 'What is the weather in Paris?';
export const weather = (city) => `sunny in ${city}, 21 degrees`;
export const parameters = {
  type: 'object',
  properties: { city: { type: 'string', description: 'A city' } },
  required: ['city'],
  additionalProperties: false,
};
export const chatTool = {
  type: 'function',
  function: { name: 'get_weather', description: 'Weather of a city', parameters },
};

/** Starts the SDK; exporters come from the environment. */
export function start(instrumentations, more = {}) {
  const sdk = new NodeSDK({ instrumentations, ...more });
  sdk.start();
  return sdk;
}

/** Runs `work` under a span like an application's request and sends everything. */
export async function request(sdk, work) {
  await trace.getTracer('shop').startActiveSpan('POST /chat', async (span) => {
    try {
      await work();
    } finally {
      span.end();
    }
  });
  await sdk.shutdown();
}

/** The conversation by OpenAI chat completions: tool call, result, answer, then a streamed question. */
export async function chat(client, model = 'gpt-5-mini') {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: question },
  ];
  const first = await client.chat.completions.create({ model, messages, tools: [chatTool] });
  const said = first.choices[0].message;
  const call = said.tool_calls[0];
  const content = weather(JSON.parse(call.function.arguments).city);
  messages.push(said, { role: 'tool', tool_call_id: call.id, content });
  await client.chat.completions.create({ model, messages, tools: [chatTool] });
  const stream = await client.chat.completions.create({
    model,
    messages: messages.slice(0, 2),
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const _chunk of stream);
}

/** The same by the responses API. */
export async function responses(client, model = 'gpt-5-mini') {
  const input = [{ role: 'user', content: question }];
  const tools = [{ type: 'function', strict: true, ...chatTool.function }];
  const first = await client.responses.create({ model, instructions: system, input, tools });
  const call = first.output[0];
  const output = weather(JSON.parse(call.arguments).city);
  const told = [...input, call, { type: 'function_call_output', call_id: call.call_id, output }];
  await client.responses.create({ model, instructions: system, input: told, tools });
  const stream = await client.responses.create({
    model,
    instructions: system,
    input,
    stream: true,
  });
  for await (const _event of stream);
}

/** The same by Anthropic's messages. */
export async function messages(client, model = 'claude-sonnet-4-5') {
  const talk = [{ role: 'user', content: question }];
  const tools = [
    { name: 'get_weather', description: 'Weather of a city', input_schema: parameters },
  ];
  const base = { model, max_tokens: 500, system };
  const first = await client.messages.create({ ...base, messages: talk, tools });
  const call = first.content[0];
  const told = [
    ...talk,
    { role: 'assistant', content: first.content },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: call.id, content: weather(call.input.city) }],
    },
  ];
  await client.messages.create({ ...base, messages: told, tools });
  const stream = client.messages.stream({ ...base, messages: talk });
  await stream.finalMessage();
}
