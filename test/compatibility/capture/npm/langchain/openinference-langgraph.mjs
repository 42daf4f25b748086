import { LangChainInstrumentation } from '@arizeai/openinference-instrumentation-langchain';
import * as CallbackManagerModule from '@langchain/core/callbacks/manager';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent } from 'langchain';
import { z } from 'zod';
import { openaiBase, question, request, start, system, weather } from './otel.mjs';

const instrumentation = new LangChainInstrumentation();
const sdk = start([instrumentation]);
instrumentation.manuallyInstrument(CallbackManagerModule);
const options = { model: 'gpt-5-mini', configuration: { baseURL: openaiBase } };
const getWeather = tool(({ city }) => weather(city), {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: z.object({ city: z.string() }),
});
const agent = createAgent({
  name: 'weather-agent',
  model: new ChatOpenAI(options),
  tools: [getWeather],
  systemPrompt: system,
});
await request(sdk, async () => {
  await agent.invoke(
    { messages: [{ role: 'user', content: question }] },
    { configurable: { thread_id: 'session-1' }, metadata: { thread_id: 'session-1' } },
  );
  const model = new ChatOpenAI(options);
  for await (const _chunk of await model.stream([
    { role: 'system', content: system },
    { role: 'user', content: question },
  ]));
});
