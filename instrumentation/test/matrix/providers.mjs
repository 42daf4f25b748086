// SDKs of providers.
import {
  ask,
  chatShapes,
  collect,
  common,
  eight,
  first,
  parameters,
  sunny,
  weather,
} from './shapes.mjs';

function openaiShapes(client, major) {
  const completions =
    major < 5
      ? (client.beta?.chat.completions ?? client.chat.completions)
      : client.chat.completions;
  const runnable = {
    type: 'function',
    function: { ...weather.function, parse: JSON.parse, function: sunny },
  };
  const format = { type: 'json_object' };
  return {
    ...chatShapes(client, { include: { stream_options: { include_usage: true } } }),
    parse: () => completions.parse({ model: 'model-1', messages: ask, response_format: format }),
    helper: () => completions.stream({ model: 'model-1', messages: ask }).finalChatCompletion(),
    runTools: async () => {
      const runner = completions.runTools({ model: 'model-1', messages: ask, tools: [runnable] });
      return [await runner.finalContent(), runner.messages];
    },
    withResponse: async () => {
      const { data, response } = await client.chat.completions
        .create({ model: 'model-1', messages: ask })
        .withResponse();
      return [data, response.status, response.headers.get('content-type')];
    },
    responses: () => client.responses.create({ model: 'model-1', input: 'Weather?' }),
    'responses stream': () =>
      collect(client.responses.create({ model: 'model-1', input: 'Weather?', stream: true })),
    'responses helper': () =>
      client.responses.stream({ model: 'model-1', input: 'Weather?' }).finalResponse(),
    'responses abandoned': () =>
      first(client.responses.create({ model: 'model-1', input: 'Weather?', stream: true })),
    embeddings: () => client.embeddings.create({ model: 'model-1', input: 'text' }),
  };
}

export function openai(name, major) {
  return async ({ use, url }) => {
    // The fourth major brings its own fetch unless it is told that the platform has one.
    if (major === 4) await use(`${name}/shims/web`);
    const { default: OpenAI } = await use(name);
    return openaiShapes(new OpenAI({ apiKey: 'k', baseURL: `${url}/v1` }), major);
  };
}

export function anthropic(name) {
  return async ({ use, url }) => {
    const { default: Anthropic } = await use(name);
    const client = new Anthropic({ apiKey: 'k', baseURL: url });
    const base = { max_tokens: 50, messages: ask };
    const tools = [{ name: 'get_weather', description: 'd', input_schema: parameters }];
    const create = (model, more = {}) => client.messages.create({ model, ...base, ...more });
    return {
      ...common({
        plain: create,
        stream: (model) => create(model, { stream: true }),
        tools: async () => {
          const asked = await create('model-1', { tools });
          const call = asked.content.find(({ type }) => type === 'tool_use');
          const result = { type: 'tool_result', tool_use_id: call.id, content: sunny(call.input) };
          const messages = [
            ...ask,
            { role: 'assistant', content: asked.content },
            { role: 'user', content: [result] },
          ];
          return [asked, await create('model-1', { tools, messages })];
        },
      }),
      helper: () => client.messages.stream({ model: 'model-1', ...base }).finalMessage(),
      ...(client.beta.messages.toolRunner && {
        'tool runner': async () => {
          const run = client.beta.messages.toolRunner({
            model: 'model-1',
            ...base,
            tools: [{ ...tools[0], type: 'custom', run: sunny, parse: (input) => input }],
          });
          return run.runUntilDone();
        },
      }),
    };
  };
}

export function gemini(name) {
  return async ({ use, url }) => {
    const { GoogleGenAI } = await use(name);
    const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url } });
    const config = {
      tools: [
        { functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: parameters }] },
      ],
    };
    const seen = ({ candidates, usageMetadata, responseId }) => [
      candidates,
      usageMetadata,
      responseId,
    ];
    const plain = async (model, contents = 'Weather?', more = {}) =>
      seen(await client.models.generateContent({ model, contents, config: more }));
    return {
      ...common({
        plain,
        stream: async (model) =>
          (async function* () {
            const stream = await client.models.generateContentStream({
              model,
              contents: 'Weather?',
            });
            for await (const chunk of stream) yield seen(chunk);
          })(),
        tools: async () => {
          const asked = await plain('model-1', 'Weather?', config);
          const contents = [
            { role: 'user', parts: [{ text: 'Weather?' }] },
            asked[0][0].content,
            {
              role: 'user',
              parts: [{ functionResponse: { name: 'get_weather', response: { output: 'sunny' } } }],
            },
          ];
          return [asked, await plain('model-1', contents, config)];
        },
      }),
      parse: () => plain('model-1', 'Weather?', { responseMimeType: 'application/json' }),
    };
  };
}

export function mistral(name) {
  return async ({ use, url }) => {
    const { Mistral } = await use(name);
    const retryConfig = {
      strategy: 'backoff',
      backoff: { initialInterval: 1, maxInterval: 5, exponent: 1, maxElapsedTime: 1_000 },
    };
    const client = new Mistral({ apiKey: 'k', serverURL: url, retryConfig });
    const plain = (model, messages = ask, more = {}) =>
      client.chat.complete({ model, messages, ...more });
    return common({
      plain,
      stream: (model) => client.chat.stream({ model, messages: ask }),
      tools: async () => {
        const asked = await plain('model-1', ask, { tools: [weather] });
        const { message } = asked.choices[0];
        const result = { role: 'tool', toolCallId: message.toolCalls[0].id, content: 'sunny' };
        return [asked, await plain('model-1', [...ask, message, result], { tools: [weather] })];
      },
    });
  };
}

export async function groq({ use, url }) {
  const { default: Groq } = await use('groq-sdk');
  return chatShapes(new Groq({ apiKey: 'k', baseURL: url }));
}

export async function together({ use, url }) {
  const { default: Together } = await use('together-ai');
  return chatShapes(new Together({ apiKey: 'k', baseURL: `${url}/v1` }));
}

export async function azure({ use, url }) {
  const { AzureOpenAI } = await use('openai');
  return chatShapes(
    new AzureOpenAI({ apiKey: 'k', endpoint: url, apiVersion: '2026-01-01', deployment: 'dep-1' }),
  );
}

export async function openrouter({ use, url }) {
  const { OpenRouter } = await use('@openrouter/sdk');
  const client = new OpenRouter({ apiKey: 'k', serverURL: `${url}/api/v1` });
  const send = (model, more = {}) =>
    client.chat.send({ chatRequest: { model, messages: ask, ...more } });
  return {
    plain: () => send('model-1'),
    stream: () => collect(send('model-1', { stream: true })),
    abandoned: () => first(send('model-1', { stream: true })),
    error: () => send('bad-model'),
    parallel: () => eight(() => send('model-1')),
  };
}

export async function cohere({ use, url }) {
  const { CohereClientV2 } = await use('cohere-ai');
  const client = new CohereClientV2({ token: 'k', environment: url });
  const plain = (model, messages = ask, more = {}) => client.chat({ model, messages, ...more });
  return common({
    plain,
    stream: (model) => client.chatStream({ model, messages: ask }),
    tools: async () => {
      const asked = await plain('model-1', ask, { tools: [weather] });
      const { message } = asked;
      const result = { role: 'tool', toolCallId: message.toolCalls[0].id, content: 'sunny' };
      return [asked, await plain('model-1', [...ask, message, result], { tools: [weather] })];
    },
  });
}

export async function ollama({ use, url }) {
  const { Ollama } = await use('ollama');
  const client = new Ollama({ host: url });
  const plain = (model, messages = ask, more = {}) => client.chat({ model, messages, ...more });
  const { retry: _, ...shapes } = common({
    plain,
    stream: (model) => client.chat({ model, messages: ask, stream: true }),
    tools: async () => {
      const asked = await plain('model-1', ask, { tools: [weather] });
      const result = { role: 'tool', tool_name: 'get_weather', content: 'sunny' };
      return [asked, await plain('model-1', [...ask, asked.message, result], { tools: [weather] })];
    },
  });
  return shapes;
}
