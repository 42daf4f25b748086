import { Agent, tool } from '@strands-agents/sdk';
import { OpenAIModel } from '@strands-agents/sdk/models/openai';
import { z } from 'zod';
import { openaiBase, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
const getWeather = tool({
  name: 'get_weather',
  description: 'Weather of a city',
  inputSchema: z.object({ city: z.string() }),
  callback: ({ city }) => weather(city),
});
const model = new OpenAIModel({
  api: 'chat',
  modelId: 'gpt-5-mini',
  apiKey: 'none',
  clientConfig: { baseURL: openaiBase },
});
const agent = new Agent({
  name: 'weather-agent',
  model,
  tools: [getWeather],
  systemPrompt: system,
  printer: false,
  traceAttributes: { 'session.id': 'session-1' },
});
await request(sdk, () => agent.invoke(question));
