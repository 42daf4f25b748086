import { createServer } from 'node:http';
import { chatCompletions, responses } from './fake-openai.mjs';
import { cohere, embeddings, gemini, messages, ollama } from './fake-others.mjs';

// One local server that answers as each provider does: fixed texts, ids and counts, so that spans can be checked exactly.
// Models: `bad-model` is unknown (404), `flaky…` fails once (500) per name, everything else answers.

/** @returns {Promise<{ url: string, requests: { url: string, headers: object, body: object }[], close: () => void }>} */
export async function startFakeProviders() {
  const requests = [];
  const failed = new Set();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = parse(Buffer.concat(chunks).toString());
      const { pathname } = new URL(request.url, 'http://x');
      requests.push({ url: pathname, headers: request.headers, body });
      answer({ pathname, body, response, failed }).catch(() => response.destroy());
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, requests, close };
}

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

async function answer({ pathname, body, response, failed }) {
  const model = body.model ?? /models\/([^:/]+)/.exec(pathname)?.[1] ?? 'none';
  const send = (value, status = 200, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  };
  if (model === 'bad-model') {
    const error = {
      type: 'invalid_request_error',
      code: 'model_not_found',
      message: 'no such model',
    };
    send(
      { type: 'error', error: { ...error, status: 'NOT_FOUND' }, message: 'no such model' },
      404,
    );
    return;
  }
  if (model.startsWith('flaky') && !failed.has(model)) {
    failed.add(model);
    const error = { type: 'api_error', message: 'try again', code: 500, status: 'INTERNAL' };
    send({ type: 'error', error }, 500, { 'retry-after-ms': '1', 'retry-after': '0' });
    return;
  }
  const handler = routes.find(([path]) => path.test(pathname))?.[1];
  if (!handler) return send({ error: { message: `no route ${pathname}` } }, 404);
  await handler({ body, model, send, response, pathname });
}

const routes = [
  [/\/chat\/completions$/, chatCompletions],
  [/\/responses$/, responses],
  [/\/messages$/, messages],
  [/:(generateContent|streamGenerateContent)$/, gemini],
  [/\/v2\/chat$/, cohere],
  [/\/api\/chat$/, ollama],
  [/\/embeddings$/, embeddings],
];
