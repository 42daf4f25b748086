import { createAnthropic } from '@ai-sdk/anthropic';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { llm, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
const model = createAnthropic({ baseURL: `${llm}/v1` })('claude-sonnet-4-5');
const experimental_telemetry = { isEnabled: true, functionId: 'weather-agent' };
const tools = {
  get_weather: tool({
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => weather(city),
  }),
};
await request(sdk, async () => {
  const common = { model, system, prompt: question, experimental_telemetry };
  await generateText({ ...common, tools, stopWhen: stepCountIs(3) });
  await streamText(common).consumeStream();
});
