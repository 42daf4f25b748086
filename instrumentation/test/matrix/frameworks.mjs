// Frameworks that call models through SDKs of others.
import { collect, common, eight, sunny } from './shapes.mjs';

export function aiSdk(ai, provider) {
  return async ({ use, url }) => {
    const { generateText, streamText, generateObject, embed, tool, stepCountIs } = await use(ai);
    const { createOpenAI } = await use(provider);
    const { z } = await use('zod');
    const openaiProvider = createOpenAI({ apiKey: 'k', baseURL: `${url}/v1` });
    const prompt = 'Weather in Paris?';
    const model = (id) => openaiProvider.chat(id);
    const tools = {
      get_weather: tool({
        description: 'd',
        inputSchema: z.object({ city: z.string() }),
        execute: async (input) => sunny(input),
      }),
    };
    const seen = ({ text, finishReason, usage, steps }) => [
      text,
      finishReason,
      usage,
      steps?.map(({ toolResults }) => toolResults),
    ];
    return {
      ...common({
        plain: async (id) => seen(await generateText({ model: model(id), prompt })),
        stream: (id) => streamText({ model: model(id), prompt, onError: () => {} }).textStream,
        tools: async () =>
          seen(
            await generateText({
              model: model('model-1'),
              prompt,
              tools,
              stopWhen: stepCountIs(3),
            }),
          ),
      }),
      parse: async () =>
        (
          await generateObject({
            model: model('model-1'),
            prompt,
            schema: z.object({ sunny: z.boolean() }),
          })
        ).object,
      'responses api': async () =>
        (await generateText({ model: openaiProvider('model-1'), prompt })).text,
      'stream tool loop': async () =>
        collect(
          streamText({ model: model('model-1'), prompt, tools, stopWhen: stepCountIs(3) })
            .textStream,
        ),
      embeddings: async () =>
        (
          await embed({
            model:
              openaiProvider.embedding?.('model-1') ?? openaiProvider.textEmbeddingModel('model-1'),
            value: 'x',
          })
        ).embedding,
    };
  };
}

export async function agents({ use, url }) {
  const { Agent, run, tool, setDefaultOpenAIClient, setOpenAIAPI } = await use('@openai/agents');
  const { default: OpenAI } = await use('openai-7');
  const { z } = await use('zod');
  setDefaultOpenAIClient(new OpenAI({ apiKey: 'k', baseURL: `${url}/v1` }));
  const get_weather = tool({
    name: 'get_weather',
    description: 'd',
    parameters: z.object({ city: z.string() }),
    execute: async (input) => sunny(input),
  });
  const agent = (model, tools = []) =>
    new Agent({ name: 'meteo', instructions: 'Brief', model, tools });
  const ask1 = async (api, model, tools) => {
    setOpenAIAPI(api);
    return (await run(agent(model, tools), 'Weather?')).finalOutput;
  };
  return {
    plain: () => ask1('responses', 'model-1'),
    chat: () => ask1('chat_completions', 'model-1'),
    'tool loop': () => ask1('responses', 'model-1', [get_weather]),
    'chat tool loop': () => ask1('chat_completions', 'model-1', [get_weather]),
    stream: async () => {
      setOpenAIAPI('responses');
      const result = await run(agent('model-1', [get_weather]), 'Weather?', { stream: true });
      await collect(result);
      await result.completed;
      return result.finalOutput;
    },
    error: () => ask1('responses', 'bad-model'),
    retry: (unique) => ask1('responses', `flaky-${unique}`),
    parallel: () => eight(() => ask1('responses', 'model-1')),
  };
}

export async function langchain({ use, url }) {
  const { ChatOpenAI } = await use('@langchain/openai');
  const { tool } = await use('@langchain/core/tools');
  const { z } = await use('zod');
  const chat = (model) =>
    new ChatOpenAI({
      apiKey: 'k',
      model,
      configuration: { baseURL: `${url}/v1` },
      // By default it tries six times more, after seconds.
      ...(model.startsWith('flaky') && { maxRetries: 1 }),
    });
  const seen = ({ content, tool_calls, usage_metadata }) => [content, tool_calls, usage_metadata];
  const get_weather = tool(async (input) => sunny(input), {
    name: 'get_weather',
    description: 'd',
    schema: z.object({ city: z.string() }),
  });
  return {
    ...common({
      plain: async (model) => seen(await chat(model).invoke('Weather?')),
      stream: async (model) =>
        (async function* () {
          for await (const { content } of await chat(model).stream('Weather?')) yield content;
        })(),
      tools: async () => {
        const model = chat('model-1').bindTools([get_weather]);
        const asked = await model.invoke('Weather?');
        const result = await get_weather.invoke(asked.tool_calls[0]);
        const said = await model.invoke([{ role: 'user', content: 'Weather?' }, asked, result]);
        return [seen(asked), result.content, seen(said)];
      },
    }),
    parse: () =>
      chat('model-1')
        .withStructuredOutput(z.object({ sunny: z.boolean() }), { method: 'jsonMode' })
        .invoke('Weather?'),
  };
}

export async function langgraph({ use, url }) {
  const { createReactAgent } = await use('@langchain/langgraph/prebuilt');
  const { ChatOpenAI } = await use('@langchain/openai');
  const { tool } = await use('@langchain/core/tools');
  const { z } = await use('zod');
  const get_weather = tool(async (input) => sunny(input), {
    name: 'get_weather',
    description: 'd',
    schema: z.object({ city: z.string() }),
  });
  const agent = (model, tools) =>
    createReactAgent({
      llm: new ChatOpenAI({
        apiKey: 'k',
        model,
        configuration: { baseURL: `${url}/v1` },
        maxRetries: 1,
      }),
      tools,
    });
  const messages = [{ role: 'user', content: 'Weather?' }];
  const said = async (model, tools = []) =>
    (await agent(model, tools).invoke({ messages })).messages.map(({ content }) => content);
  return {
    plain: () => said('model-1'),
    'tool loop': () => said('model-1', [get_weather]),
    stream: async () =>
      (await collect(agent('model-1', [get_weather]).stream({ messages }))).map(Object.keys),
    error: () => said('bad-model'),
    retry: (unique) => said(`flaky-${unique}`),
    parallel: () => eight(() => said('model-1')),
  };
}
