import Anthropic from '@anthropic-ai/sdk';
import { llm, parameters, question, request, start, system, weather } from './otel.mjs';

const sdk = start([]);
const client = new Anthropic({ baseURL: llm });
const base = { model: 'claude-sonnet-4-5', max_tokens: 500, system };
const talk = [{ role: 'user', content: question }];
await request(sdk, async () => {
  const tool = {
    name: 'get_weather',
    description: 'Weather of a city',
    input_schema: parameters,
    parse: (input) => input,
    run: ({ city }) => weather(city),
  };
  await client.beta.messages.toolRunner({ ...base, messages: talk, tools: [tool] });
  await client.messages.stream({ ...base, messages: talk }).finalMessage();
});
