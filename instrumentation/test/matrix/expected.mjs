// The table of what each call must look like, by the API that it speaks. Usage is what the fake server says, in OTel's sense:
// input includes what was read from and written to a cache, output includes reasoning.

const openai = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.request.model': 'model-1',
  'gen_ai.response.model': 'model-1-2026-01-01',
  'gen_ai.usage.input_tokens': 120,
  'gen_ai.usage.output_tokens': 25,
  'gen_ai.usage.cache_read.input_tokens': 64,
  'gen_ai.usage.reasoning.output_tokens': 8,
};
const anthropic = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'anthropic',
  'gen_ai.request.model': 'model-1',
  'gen_ai.response.id': 'msg_1',
  'gen_ai.usage.input_tokens': 280,
  'gen_ai.usage.output_tokens': 25,
  'gen_ai.usage.cache_read.input_tokens': 200,
  'gen_ai.usage.cache_write.input_tokens': 30,
  'anthropic.usage.cache_creation.ephemeral_1h_input_tokens': 20,
};
const gemini = {
  'gen_ai.operation.name': 'generate_content',
  'gen_ai.provider.name': 'gcp.gemini',
  'gen_ai.request.model': 'model-1',
  'gen_ai.response.id': 'gem_1',
  'gen_ai.response.model': 'model-1-001',
  'gen_ai.usage.input_tokens': 120,
  'gen_ai.usage.output_tokens': 25,
  'gen_ai.usage.cache_read.input_tokens': 64,
  'gen_ai.usage.reasoning.output_tokens': 8,
};
const plain = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'model-1' };
const counts = { 'gen_ai.usage.input_tokens': 120, 'gen_ai.usage.output_tokens': 25 };

const byName = [
  [/^anthropic/, anthropic],
  [/genai/, gemini],
  [
    /cohere/,
    { ...plain, ...counts, 'gen_ai.provider.name': 'cohere', 'gen_ai.response.id': 'co_1' },
  ],
  [/ollama/, { ...plain, ...counts, 'gen_ai.provider.name': 'ollama' }],
  [/./, openai],
];

/** Streams that did not ask OpenAI for usage have none; what was left early has only what had come. */
const unasked = /^(groq|together|azure|@openrouter|@mistral)/;

/** How many model and tool spans a shape makes, and how each model span must look. */
export function expectedOf(sdk, shape) {
  if (/error|retry/.test(shape)) return { models: undefined, tools: 0, attributes: {} };
  const tools = /tool|runTools/i.test(shape) || (sdk.includes('agents') && shape === 'stream');
  const loop = tools || (sdk.includes('langgraph') && shape === 'stream');
  // It leaves the stream unread and uncollected: the span ends after ten seconds without a reader.
  if (sdk.startsWith('ollama') && shape === 'abandoned') {
    return { models: 0, tools: 0, attributes: {} };
  }
  const models = shape === 'parallel' ? 8 : loop ? 2 : 1;
  const attributes = { ...byName.find(([pattern]) => pattern.test(sdk))[1] };
  if (shape === 'embeddings') {
    return {
      models: 1,
      tools: 0,
      attributes: { 'gen_ai.operation.name': 'embeddings', 'gen_ai.usage.input_tokens': 5 },
    };
  }
  const counted =
    !/abandoned/.test(shape) &&
    !(shape === 'stream' && unasked.test(sdk)) &&
    !(shape === 'helper' && sdk.startsWith('openai'));
  if (!counted) {
    for (const key of Object.keys(attributes)) {
      if (/usage|response/.test(key)) delete attributes[key];
    }
  }
  return { models, tools: loop ? 1 : 0, attributes };
}

/** What is wrong with the spans of a shape, in words. */
export function problems(sdk, shape, spans) {
  const { models, tools, attributes } = expectedOf(sdk, shape);
  const operation = ({ attributes: of }) => of['gen_ai.operation.name'];
  const calls = spans.filter((span) =>
    /^(chat|generate_content|embeddings)$/.test(operation(span)),
  );
  const ran = spans.filter((span) => operation(span) === 'execute_tool');
  const found = [];
  if (models === undefined ? calls.length === 0 : calls.length !== models) {
    found.push(`${calls.length} model spans, not ${models ?? 'any'}`);
  }
  if (ran.length !== tools) found.push(`${ran.length} tool spans, not ${tools}`);
  for (const call of calls) {
    for (const [key, value] of Object.entries(attributes)) {
      if (call.attributes[key] !== value)
        found.push(`${key} is ${call.attributes[key]}, not ${value}`);
    }
  }
  if (/error|retry/.test(shape) && !calls.some(({ status }) => status === 2)) {
    // Anthropic's own span covers all attempts of a call.
    if (!(sdk === 'anthropic 1' && shape === 'retry')) found.push('no failed span');
  }
  return found;
}
