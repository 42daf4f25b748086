// The other side of streams.mjs, in a process of its own: `many` streams 40 chunks, one each 25 ms; `big` 10 MB at once;
// `body` answers with 4 MB of JSON.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const chunk = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-x', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const usage = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-x', choices: [], usage: { prompt_tokens: 9, completion_tokens: 40 } })}\n\n`;
const end = [chunk({}, 'stop'), usage, 'data: [DONE]\n\n'];
const word = chunk({ content: 'some words '.repeat(8) });
const page = chunk({ content: 'x'.repeat(4_000) });
const body = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-x',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'y'.repeat(4_000_000) },
    },
  ],
  usage: { prompt_tokens: 9, completion_tokens: 40, total_tokens: 49 },
});

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const [, model] = /"model":"(\w+)"/.exec(Buffer.concat(parts).toString());
  if (model === 'body') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let index = 0; index < (model === 'big' ? 2_500 : 40); index += 1) {
    if (!response.write(model === 'big' ? page : word)) await once(response, 'drain');
    if (model === 'many') await sleep(25);
  }
  response.end(end.join(''));
});
// No connection closes while a client is busy.
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
