// What a call costs: CPU time of the same call, through the OpenAI SDK against an answer from memory, under one variant.
// node --expose-gc overhead.cjs <variant>; one line of JSON.

const variant = process.argv[2];
const body = JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-x',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'It is sunny. '.repeat(20) },
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 25, total_tokens: 145 },
});
const chunk = (delta, finish_reason = null) =>
  Buffer.from(
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-x', choices: [{ index: 0, delta, finish_reason }] })}\n\n`,
  );
const frames = [
  ...Array.from({ length: 100 }, (_, index) => chunk({ content: `word${index} ` })),
  chunk({}, 'stop'),
  Buffer.from('data: [DONE]\n\n'),
];

globalThis.fetch = async (_, init) => {
  if (!init.body.includes('"stream":true')) {
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  }
  let at = 0;
  const stream = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (at < frames.length) controller.enqueue(Uint8Array.from(frames[at++]));
      else controller.close();
    },
  });
  return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
};

// No two requests are the same: what was seen before must not make a call cheap.
let asked = 0;
const question = () => {
  asked += 1;
  return { role: 'user', content: `Weather in Paris on day ${asked}?` };
};
const short = () => ({ model: 'gpt-x', messages: [question()] });
const history = [
  { role: 'system', content: 'You are a careful assistant. '.repeat(100) },
  ...Array.from({ length: 39 }, (_, index) => ({
    role: index % 2 ? 'assistant' : 'user',
    content: `Turn ${index}: ${'words and words '.repeat(25)}`,
  })),
];
const long = () => ({
  model: 'gpt-x',
  messages: [...history, question()],
  tools: Array.from({ length: 10 }, (_, index) => ({
    type: 'function',
    function: {
      name: `tool_${index}`,
      description: 'What it does. '.repeat(10),
      parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
    },
  })),
});

void main();

async function main() {
  const count = await setUp();
  const OpenAI = require('openai');
  const client = new OpenAI({ apiKey: 'k', baseURL: 'http://127.0.0.1:1/v1' });
  const create = (request) => client.chat.completions.create(request);
  const shapes = {
    short: () => create(short()),
    'long, 10 tools': () => create(long()),
    'stream, 100 chunks': async () => {
      for await (const _ of await create({ ...short(), stream: true }));
    },
  };
  const result = { variant };
  for (const [name, call] of Object.entries(shapes)) {
    result[name] = await measure(call, count, warmCalls[name]);
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

// The last step of compilation comes after thousands of calls, on Node 20 later than on 24; a call of 100 chunks counts as many.
const warmCalls = { short: 10_000, 'long, 10 tools': 10_000, 'stream, 100 chunks': 2_000 };

/**
 * Of 40 rounds the fifth cheapest, of warm code: other work on the machine makes rounds dearer, never cheaper. And the mean of
 * the first 1,000 calls of the process, with all that is loaded and compiled meanwhile: what short processes pay.
 */
async function measure(call, count, warm) {
  const first = await cpuOf(call, 1_000);
  await cpuOf(call, warm);
  const spans = count();
  const rounds = [];
  for (let round = 0; round < 40; round += 1) rounds.push(await cpuOf(call, 50));
  rounds.sort((a, b) => a - b);
  const recorded = (count() - spans) / 2_000;
  return { us: tenths(rounds[4]), first_us: tenths(first), recorded };
}

/** Microseconds of CPU time of a call, as the mean of some. */
async function cpuOf(call, times) {
  const before = process.cpuUsage();
  for (let index = 0; index < times; index += 1) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

function tenths(value) {
  return Math.round(value * 10) / 10;
}

/** Starts what the variant names; gives the count of spans so far. */
async function setUp() {
  let spans = 0;
  if (variant === 'plain') return () => 0;
  const exporter = {
    export: (batch, done) => {
      spans += batch.length;
      done({ code: 0 });
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const { SimpleSpanProcessor } = require('@opentelemetry/sdk-trace');
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  if (variant.startsWith('plumbline')) {
    const { register } = await import('@plumbline/instrumentation/node');
    register({ otlp: false, flushOnExit: false, content: variant.split(' ')[1], spanProcessors });
    return () => spans;
  }
  const { NodeSDK } = require('@opentelemetry/sdk-node');
  const instrumentations = [peer()];
  new NodeSDK({
    spanProcessors,
    instrumentations,
    metricReaders: [],
    resourceDetectors: [],
  }).start();
  return () => spans;
}

/** The others, without content where they have a switch for it. */
function peer() {
  const [name, options] = {
    official: ['@opentelemetry/instrumentation-openai', {}],
    traceloop: ['@traceloop/instrumentation-openai', { traceContent: false }],
    openinference: [
      '@arizeai/openinference-instrumentation-openai',
      { traceConfig: { hideInputs: true, hideOutputs: true } },
    ],
  }[variant];
  return new (require(name).OpenAIInstrumentation)(options);
}
