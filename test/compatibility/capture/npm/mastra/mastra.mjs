import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { Mastra } from '@mastra/core/mastra';
import { createTool } from '@mastra/core/tools';
import { Observability } from '@mastra/observability';
import { OtelExporter } from '@mastra/otel-exporter';
import { z } from 'zod';

// Mastra brings its own SDK: the shared one is not used, its constants are repeated here.
const getWeather = createTool({
  id: 'get_weather',
  description: 'Weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async (input) => `sunny in ${(input.context ?? input).city}, 21 degrees`,
});
const provider = createOpenAI({ baseURL: `${process.env.FAKE_LLM}/v1` });
const agent = new Agent({
  id: 'weather-agent',
  name: 'weather-agent',
  instructions: 'You are a weather agent.',
  model: provider.chat('gpt-5-mini'),
  tools: { get_weather: getWeather },
});
const endpoint = `${process.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces`;
const exporter = new OtelExporter({
  provider: { custom: { endpoint, protocol: 'http/protobuf' } },
  signals: { logs: false },
});
const mastra = new Mastra({
  agents: { weather: agent },
  logger: false,
  observability: new Observability({
    configs: { otel: { serviceName: 'weather-shop', exporters: [exporter] } },
  }),
});
await mastra.getAgent('weather').generate('What is the weather in Paris?', {
  memory: { thread: 'session-1', resource: 'user-1' },
});
await mastra.shutdown();
