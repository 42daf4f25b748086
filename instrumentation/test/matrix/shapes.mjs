// What SDKs have in common. What an application does with each SDK, written as its documentation shows it. A shape returns what the application sees.

export const ask = [{ role: 'user', content: 'Weather in Paris?' }];
export const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
};
export const weather = {
  type: 'function',
  function: { name: 'get_weather', description: 'Current weather', parameters },
};
export const sunny = ({ city }) => `sunny in ${city}`;

export async function collect(stream) {
  const items = [];
  for await (const item of await stream) items.push(item);
  return items;
}

export async function first(stream) {
  for await (const item of await stream) return item;
  return undefined;
}

export const eight = (once) => Promise.all(Array.from({ length: 8 }, once));

/** The shapes that every SDK has in common, out of what differs: how to ask, and how to stream. */
export function common({ plain, stream, tools }) {
  return {
    plain: () => plain('model-1'),
    stream: () => collect(stream('model-1')),
    abandoned: () => first(stream('model-1')),
    cut: () => collect(stream('cut-model')),
    error: () => plain('bad-model'),
    retry: (unique) => plain(`flaky-${unique}`),
    parallel: () => eight(() => plain('model-1')),
    ...(tools && { 'tool loop': tools }),
  };
}

/** OpenAI's chat completions, also as its offspring (Groq, Together) and its own majors have them. */
export function chatShapes(client, { include = {} } = {}) {
  const create = (model, more = {}) =>
    client.chat.completions.create({ model, messages: ask, ...more });
  return common({
    plain: create,
    stream: (model) => create(model, { stream: true, ...include }),
    tools: async () => {
      const asked = await create('model-1', { tools: [weather] });
      const { message } = asked.choices[0];
      const [call] = message.tool_calls;
      const content = sunny(JSON.parse(call.function.arguments));
      const messages = [...ask, message, { role: 'tool', tool_call_id: call.id, content }];
      return [asked, await create('model-1', { messages, tools: [weather] })];
    },
  });
}
