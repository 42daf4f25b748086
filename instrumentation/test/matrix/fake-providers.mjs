import { createServer } from 'node:http';
import { chatCompletions, responses } from './fake-openai.mjs';
import { cohere, embeddings, gemini, messages, ollama } from './fake-others.mjs';

// One local server that answers as each provider does: fixed texts, ids and counts, so that spans can be checked exactly.
// Models: `bad-model` is unknown (404), `flaky…` fails once (500) per name, streams of `cut-model` break off, everything else
// answers.

/**
 * @typedef {{ url: string, headers: object, body: object, bytes: number, status: number, called: boolean }} Seen
 * What a request was, and how it was answered: with which status, and whether with a call of the tool.
 * @returns {Promise<{ url: string, requests: Seen[], close: () => void }>}
 */
export async function startFakeProviders() {
  const requests = [];
  const failed = new Set();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const body = parse(bytes.toString());
      const { pathname } = new URL(request.url, 'http://x');
      const seen = {
        url: pathname,
        headers: request.headers,
        body,
        bytes: bytes.length,
        status: 200,
        called: false,
      };
      requests.push(seen);
      answer({ pathname, body, response, failed, seen }).catch(() => response.destroy());
    });
  });
  // A client that loads for seconds must not find its connection closed.
  server.keepAliveTimeout = 120_000;
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

async function answer({ pathname, body, response, failed, seen }) {
  const model = body.model ?? /models\/([^:/]+)/.exec(pathname)?.[1] ?? 'none';
  const send = (value, status = 200, headers = {}) => {
    seen.status = status;
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
  response.cut = model === 'cut-model';
  const handler = routes.find(([path]) => path.test(pathname))?.[1];
  if (!handler) return send({ error: { message: `no route ${pathname}` } }, 404);
  await handler({ body, model, send, response, pathname, seen });
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
