import { createOpenAI } from '@ai-sdk/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { openaiBase, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
const model = createOpenAI({ baseURL: openaiBase }).chat('gpt-5-mini');
const experimental_telemetry = {
  isEnabled: true,
  functionId: 'weather-agent',
  metadata: { sessionId: 'session-1', userId: 'user-1' },
};
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
