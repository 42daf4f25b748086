import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
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

it('answers what is no request as Node does, and tells of it', async () => {
  const broken: unknown[] = [];
  const fetch = () => new Response('here');
  const server = await listen(fetch, '127.0.0.1', 0, (error) => broken.push(error));
  const { port } = new URL(url(server, '127.0.0.1'));
  const say = async (text: string) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(text);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer.split('\r\n')[0];
  };
  expect(await say('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request');
  const long = `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
  expect(await say(long)).toBe('HTTP/1.1 431 Request Header Fields Too Large');
  expect(broken).toMatchObject([
    { code: 'HPE_PAUSED_H2_UPGRADE' },
    { code: 'HPE_HEADER_OVERFLOW' },
  ]);
  await stop(server);
});
