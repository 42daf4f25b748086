import { openAICompatible } from '@genkit-ai/compat-oai';
import { genkit, z } from 'genkit';
import { openaiBase, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
const ai = genkit({
  plugins: [openAICompatible({ name: 'openai', apiKey: 'none', baseURL: openaiBase })],
});
const getWeather = ai.defineTool(
  {
    name: 'get_weather',
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string() }),
  },
  async ({ city }) => weather(city),
);
const flow = ai.defineFlow('weather-flow', async () => {
  const { text } = await ai.generate({
    model: 'openai/gpt-5-mini',
    system,
    prompt: question,
    tools: [getWeather],
  });
  return text;
});
await request(sdk, () => flow());
process.exit(0);
