import { createOpenAI } from '@ai-sdk/openai';
import { OpenTelemetry } from '@ai-sdk/otel';
import { generateText, registerTelemetry, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { openaiBase, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
registerTelemetry(new OpenTelemetry());
const model = createOpenAI({ baseURL: openaiBase })('gpt-5-mini');
const telemetry = { functionId: 'weather-agent' };
const tools = {
  get_weather: tool({
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => weather(city),
  }),
};
await request(sdk, async () => {
  const common = { model, instructions: system, prompt: question, telemetry };
  await generateText({ ...common, tools, stopWhen: stepCountIs(3) });
  await streamText(common).consumeStream();
});
