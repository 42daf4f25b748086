import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { listen, stop, url } from './listen.ts';

/** Asks over a connection that the client would keep. */
function ask(agent: Agent, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(path, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response));
    }).once('error', reject);
  });
}

it('keeps idle connections for longer than clients do', async () => {
  const server = await listen(() => new Response('here'), '127.0.0.1', 0);
  const agent = new Agent({ keepAlive: true });
  const { headers } = await ask(agent, url(server, '127.0.0.1'));
  expect(headers['keep-alive']).toBe('timeout=120');
  agent.destroy();
  await stop(server);
});

it('stops when the last answer is given, though its connection could be kept', async () => {
  const events = new EventEmitter();
  const fetch = async () => {
    events.emit('begun');
    await once(events, 'answer');
    return new Response('late');
  };
  const server = await listen(fetch, '127.0.0.1', 0);
  const agent = new Agent({ keepAlive: true });
  const begun = once(events, 'begun');
  const asked = ask(agent, url(server, '127.0.0.1'));
  await begun;
  const stopped = stop(server);
  events.emit('answer');
  expect((await asked).statusCode).toBe(200);
  await stopped;
  agent.destroy();
});
