import { OpenAIAgentsInstrumentation } from '@arizeai/openinference-instrumentation-openai-agents';
import * as agents from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { openaiBase, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
new OpenAIAgentsInstrumentation().manuallyInstrument(agents);
agents.setDefaultOpenAIClient(new OpenAI({ baseURL: openaiBase }));
agents.setOpenAIAPI('responses');
const getWeather = agents.tool({
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => weather(city),
});
const model = 'gpt-5-mini';
const expert = new agents.Agent({
  name: 'weather-agent',
  instructions: system,
  model,
  tools: [getWeather],
});
const triage = new agents.Agent({
  name: 'triage-agent',
  instructions: 'Hand over.',
  model,
  handoffs: [expert],
});
await request(sdk, () => agents.run(triage, question));
