import { once } from 'node:events';
import { Agent, createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy between a Plumbline and ClickHouse, in which things go wrong on purpose. */
export interface Between {
  readonly url: string;
  /**
   * Holds the first statement that matches after one that matches `after`. Resolves when it has come and is held; the
   * function it resolves to lets it through.
   */
  hold(after: RegExp, statement: RegExp): Promise<() => void>;
  /** What the server's clock is off by, in seconds, as the statements of this proxy see it. */
  stepClock(seconds: number): void;
  close(): Promise<void>;
}

interface Trap {
  readonly after: RegExp;
  readonly statement: RegExp;
  armed: boolean;
  readonly caught: (release: () => void) => void;
}

/** Only statements are looked into, not the rows behind them. */
const HEAD = 64 * 1024;

export async function startBetween(target: string): Promise<Between> {
  const agent = new Agent({ keepAlive: true });
  let traps: Trap[] = [];
  let offset = 0;

  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    let body = Buffer.concat(chunks);
    let url = new URL(incoming.url ?? '/', target);
    const statement = `${url.searchParams.get('query') ?? ''} ${body.subarray(0, HEAD).toString('latin1')}`;
    const trap = traps.find((one) => one.armed && one.statement.test(statement));
    for (const one of traps) one.armed ||= one.after.test(statement);
    if (trap !== undefined) {
      traps = traps.filter((one) => one !== trap);
      await new Promise<void>((release) => trap.caught(release));
    }
    if (offset !== 0 && statement.includes('now64(6)')) {
      const shifted = (text: string) =>
        text.replaceAll('now64(6)', `(now64(6) + toIntervalSecond(${offset}))`);
      url = new URL(url);
      const query = url.searchParams.get('query');
      if (query !== null) url.searchParams.set('query', shifted(query));
      body = Buffer.from(shifted(body.toString('latin1')), 'latin1');
    }
    const {
      host: _,
      'content-length': __,
      'transfer-encoding': ___,
      ...headers
    } = incoming.headers;
    const passed = forward(
      url,
      {
        method: incoming.method ?? 'GET',
        headers: { ...headers, 'content-length': body.length },
        agent,
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    passed.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: (after, statement) =>
      new Promise((resolve) => {
        traps.push({ after, statement, armed: false, caught: (release) => resolve(release) });
      }),
    stepClock(seconds) {
      offset = seconds;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}
