// What the spans of each call must be: every attribute, from what the server was asked and what it answered. Nothing of the
// instrumentation is used. What differs from run to run is matched by its kind.

import { createHash } from 'node:crypto';
import { answer, apiOf, usage } from './apis.mjs';

const matcher = (name, test) => Object.assign(test, { toString: () => name });
const hash = matcher('a hash', (value) => /^[0-9a-f]{16}$/.test(value));
const seconds = matcher(
  'seconds',
  (value) => typeof value === 'number' && value >= 0 && value < 60,
);
const count = matcher('a count', (value) => Number.isSafeInteger(value) && value >= 0);
const word = matcher('a word', (value) => typeof value === 'string' && value !== '');
const port = matcher('a port', (value) => value > 1023 && value < 65_536);
const oneOf = (...values) => matcher(values.join(' or '), (value) => values.includes(value));

/** How the spans begin that Anthropic's SDK opens itself. */
const native = 'anthropic.';

const toolSpan = (id) => ({
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': 'get_weather',
  'gen_ai.tool.type': 'function',
  'gen_ai.tool.call.id': id,
  'agent.tool.arguments.hash': createHash('sha256')
    .update('\0{"city":"Paris"}')
    .digest('hex')
    .slice(0, 16),
  'agent.tool.arguments.valid': true,
  'agent.tool.result.hash': hash,
  'agent.tool.result.bytes': count,
  'agent.tool.result.shape': oneOf('string', 'object{output}'),
  'agent.tool.result.error_like': false,
});

/** Frameworks that tell of their tools; elsewhere calls and results are read off the messages. */
const telling = /^(ai 7|@openai\/agents|anthropic 1 tool runner)/;

/** The spans of one request: the model's, and the tool's that the request brings the result of. */
function expectedOf(shape, seen, span) {
  const { url, body, headers, bytes, status, called } = seen;
  if (url.endsWith('/embeddings')) return embeddings(seen);
  const api = apiOf(url);
  const model =
    body.model ?? /models\/([^/:]+)/.exec(url)?.[1] ?? /deployments\/([^/]+)/.exec(url)?.[1];
  const streamed = api.streams?.(body, url) ?? body.stream === true;
  const resent = Number(headers['x-stainless-retry-count'] ?? 0);
  const attributes = {
    'gen_ai.operation.name': api.operation ?? 'chat',
    'gen_ai.provider.name': api.provider,
    'server.address': '127.0.0.1',
    'server.port': port,
    'gen_ai.request.model': model,
    ...api.asked(body, streamed),
    'agent.request.hash': hash,
    'agent.request.messages': api.items(body),
    'agent.request.bytes': bytes,
    'agent.prompt.fingerprint': api.prompted?.(body) ? hash : undefined,
    ...(body.tools?.length && {
      'agent.toolset.fingerprint': hash,
      'gen_ai.tool.definitions': '[{"type":"function","name":"get_weather"}]',
    }),
    'http.request.resend_count': resent || undefined,
    'http.response.status_code': status,
  };
  const expected = {
    name: `${api.operation ?? 'chat'} ${model}`,
    kind: 2,
    status: 0,
    attributes,
    optional: {},
  };
  if (status >= 400) {
    // Whether the client read the body decides what is known of the error.
    const types = [api.failed[status], String(status)];
    Object.assign(attributes, { 'error.type': oneOf(...types) });
    return { ...expected, status: 2, optional: { 'agent.response.bytes': 0 } };
  }
  const timed = streamed && { 'gen_ai.response.time_to_first_chunk': seconds };
  const own = span.name.startsWith(native);
  const left = shape.includes('abandoned') && (own || 'gen_ai.response.status' in span.attributes);
  if (left || model === 'cut-model') {
    Object.assign(attributes, timed, {
      'gen_ai.response.status': shape.includes('abandoned')
        ? oneOf('cancelled', 'in_progress')
        : 'incomplete',
      'agent.response.bytes': count,
      ...(model === 'cut-model' && { 'error.type': word }),
    });
    // What had come by then; Anthropic's first event counts one token of the answer.
    const came = {
      ...api.answered(model),
      ...usage(api),
      'gen_ai.usage.output_tokens': oneOf(1, 25),
      'gen_ai.output.messages': word,
    };
    return { ...expected, status: model === 'cut-model' ? 2 : 0, optional: came };
  }
  Object.assign(attributes, timed, api.answered(model), answer(api, body, called));
  if (api.counted?.(body) ?? true) {
    Object.assign(attributes, usage(api));
    // Unless the whole stream came in one piece.
    if (streamed) expected.optional['gen_ai.client.operation.time_per_output_chunk'] = seconds;
  }
  return expected;
}

function embeddings({ body, bytes }) {
  const attributes = {
    'gen_ai.operation.name': 'embeddings',
    'gen_ai.provider.name': 'openai',
    'server.address': '127.0.0.1',
    'server.port': port,
    'gen_ai.request.model': 'model-1',
    'gen_ai.request.encoding_formats': body.encoding_format && [body.encoding_format],
    'agent.request.hash': hash,
    'agent.request.messages': 1,
    'agent.request.bytes': bytes,
    'http.response.status_code': 200,
    'gen_ai.response.model': 'model-1',
    'gen_ai.usage.input_tokens': 5,
    'agent.response.bytes': 0,
  };
  return { name: 'embeddings model-1', kind: 2, status: 0, attributes, optional: {} };
}

/** Anthropic's SDK opens the span itself: its name and status stay, and what it says beside ours is its own affair. */
function asNative(expected, shape) {
  const { attributes, optional } = expected;
  for (const key of ['error.type', 'gen_ai.response.status']) delete attributes[key];
  // It ends the span of a stream before the stream is closed.
  if (/abandoned|cut/.test(shape)) {
    optional['agent.response.bytes'] = attributes['agent.response.bytes'];
    delete attributes['agent.response.bytes'];
  }
  return { ...expected, name: 'anthropic.messages.create', status: undefined, theirs: true };
}

const others = /^(anthropic|http|url|error|gen_ai\.response|gen_ai\.conversation)\./;

/** What is wrong with a shape that was run, in words. `before` is the same without the instrumentation. */
export function compared(before, after) {
  const { sdk, shape } = before;
  if (shape === 'budget stop') return notStopped(after);
  const found = problems(sdk, shape, after.spans, after.requests);
  const same = (key) => JSON.stringify(before[key]) === JSON.stringify(after[key]);
  if (!same('seen')) {
    found.push(
      `the application saw ${JSON.stringify(after.seen).slice(0, 300)}, not ${JSON.stringify(before.seen).slice(0, 300)}`,
    );
  }
  // Not every SDK tries again by itself.
  if (shape !== 'retry' && Boolean(before.seen.threw) !== /^(error|cut)/.test(shape)) {
    found.push(`without the instrumentation it ended as ${JSON.stringify(before.seen)}`);
  }
  const states = sdk === 'plumbline' ? 'running, done' : '';
  if (after.states.join(', ') !== states) found.push(`the task was ${after.states.join(', ')}`);
  if (!same('unhandled')) found.push(`unhandled ${after.unhandled.join('; ')}`);
  if (Object.keys(after.failures).length > 0) found.push(JSON.stringify(after.failures));
  if (after.requests.some(({ headers }) => headers.traceparent ?? headers.baggage)) {
    found.push('a header of ours went to the provider');
  }
  if (before.requests.length !== after.requests.length) {
    found.push(`${after.requests.length} requests, not ${before.requests.length}`);
  }
  return [...new Set(found)];
}

/** What is wrong with a second call that a budget of one call was to stop: one attempt, one error, nothing sent. */
function notStopped({ seen, requests, spans, failures, ms }) {
  const found = [];
  const said = JSON.stringify(seen);
  if (!seen.threw || !/budget|402|Response validation/i.test(said))
    found.push(`it ended as ${said.slice(0, 300)}`);
  if (requests.length !== 1) found.push(`${requests.length} requests left the process`);
  const calls = spans.filter(({ attributes }) => attributes['agent.request.hash'] !== undefined);
  const stopped = calls.filter((span) => span.attributes['agent.budget.exceeded'] === 'llm_calls');
  if (calls.length !== 2 || stopped.length !== 1) {
    found.push(`${stopped.length} of ${calls.length} calls were stopped`);
  }
  const [span] = stopped;
  if (span && !span.events.includes('agent.budget.exceeded')) found.push('no event tells of it');
  if (
    span &&
    !span.name.startsWith(native) &&
    span.attributes['error.type'] !== 'budget_exceeded'
  ) {
    found.push(`error.type is ${span.attributes['error.type']}`);
  }
  if (ms > 5_000) found.push(`it took ${ms} ms`);
  if (Object.keys(failures).length > 0) found.push(JSON.stringify(failures));
  return found;
}

/** What is wrong with the spans of a shape. */
function problems(sdk, shape, spans, requests) {
  const named = (operations) =>
    spans
      .filter(({ attributes }) => operations.test(attributes['gen_ai.operation.name']))
      .sort((a, b) => a.start - b.start);
  const models = named(/^(chat|generate_content|embeddings)$/);
  const tools = named(/^execute_tool$/);
  const isNative = sdk === 'anthropic 1';
  // One span covers all attempts of a call there; what the last one brought is on it.
  const told = isNative && shape === 'retry' ? requests.slice(-1) : requests;
  const found = [];
  if (models.length !== told.length) {
    found.push(`${models.length} model spans for ${told.length} requests`);
  }
  for (const [index, span] of models.entries()) {
    if (!told[index]) continue;
    const expected = expectedOf(shape, told[index], span);
    if (isNative && shape === 'retry')
      expected.attributes['http.response.status_code'] = oneOf(200, 500);
    found.push(...differences(isNative ? asNative(expected, shape) : expected, span));
  }
  return [...found, ...toolProblems(sdk, shape, tools, requests)];
}

function toolProblems(sdk, shape, tools, requests) {
  const calls = requests.filter(({ called }) => called);
  if (tools.length !== calls.length) {
    return [`${tools.length} tool spans for ${calls.length} calls`];
  }
  const isNative = `${sdk} ${shape}` === 'anthropic 1 tool runner';
  return tools.flatMap((span, index) => {
    const { callId } = apiOf(calls[index].url);
    const attributes = toolSpan(callId);
    if (!telling.test(`${sdk} ${shape}`)) attributes['agent.tool.inferred'] = true;
    if (isNative) {
      attributes['gen_ai.tool.description'] = 'd';
      attributes['gen_ai.provider.name'] = 'anthropic';
    }
    const name = isNative ? 'anthropic.custom_tool_use get_weather' : 'execute_tool get_weather';
    return differences({ name, kind: 0, status: isNative ? 1 : 0, attributes, optional: {} }, span);
  });
}

function differences({ name, kind, status, attributes, optional, theirs }, span) {
  const found = [];
  if (span.name !== name) found.push(`the span is named ${span.name}, not ${name}`);
  if (span.kind !== kind) found.push(`the kind of ${name} is ${span.kind}, not ${kind}`);
  if (status !== undefined && span.status !== status) {
    found.push(`the status of ${name} is ${span.status}, not ${status}`);
  }
  for (const [key, wanted] of Object.entries(attributes)) {
    const value = span.attributes[key];
    if (!fits(wanted, value))
      found.push(`${name}: ${key} is ${JSON.stringify(value)}, not ${wanted}`);
  }
  for (const [key, value] of Object.entries(span.attributes)) {
    if (key in attributes || (theirs && others.test(key))) continue;
    if (!(key in optional)) found.push(`${name}: ${key} is not in the table`);
    else if (!fits(optional[key], value)) found.push(`${name}: ${key} is ${value}`);
  }
  return found;
}

function fits(wanted, value) {
  if (typeof wanted === 'function') return wanted(value);
  return JSON.stringify(wanted) === JSON.stringify(value);
}
