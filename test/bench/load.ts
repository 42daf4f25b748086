// The load generator, a process of its own. The parent forks it, sends orders and gets one answer to each.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatProfile, type Profile, plainProfile, type Template } from './corpus.ts';

export type Order =
  /** As fast as `lanes` requests at once are answered, or at a steady rate, for so many seconds. */
  { readonly otlp: string; readonly api: string; readonly seconds: number } & (
    | { readonly lanes: number }
    | { readonly spansPerSecond: number; readonly followUps: boolean }
  );

export interface Load {
  readonly spans: number;
  readonly seconds: number;
  readonly ackMs: readonly number[];
  readonly refused: number;
  /** From the ack to the first answer of the API that has a span of the request. */
  readonly freshMs: readonly number[];
}

export interface Ready {
  readonly bytesPerSpan: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
let sent = 0;

function post(url: string, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${url}/v1/traces`,
      { method: 'POST', agent, headers: { 'content-type': 'application/x-protobuf' } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

interface Tally {
  spans: number;
  refused: number;
  readonly ackMs: number[];
  readonly freshMs: number[];
}

/** Sends one request until it is taken. Returns a trace id of it. */
async function sendOne(otlp: string, template: Template, tally: Tally): Promise<string> {
  sent += 1;
  const trace = template.stamp(sent, Date.now());
  // Sent while the next one is stamped: the template may be in use again before this one is answered.
  const body = Buffer.from(template.body);
  for (;;) {
    const start = performance.now();
    const status = await post(otlp, body);
    if (status === 200) {
      tally.ackMs.push(performance.now() - start);
      tally.spans += template.spans;
      return trace;
    }
    if (status !== 503) throw new Error(`answered ${status}`);
    tally.refused += 1;
    await sleep(200);
  }
}

async function readable(api: string, trace: string, tally: Tally): Promise<void> {
  const acked = performance.now();
  while (performance.now() - acked < 60_000) {
    const answer = await fetch(`${api}/api/v1/traces/${trace}?limit=1`);
    await answer.arrayBuffer();
    if (answer.ok) break;
    await sleep(25);
  }
  tally.freshMs.push(performance.now() - acked);
}

async function run(profile: Profile, order: Order): Promise<Load> {
  const tally: Tally = { spans: 0, refused: 0, ackMs: [], freshMs: [] };
  const start = performance.now();
  const deadline = start + order.seconds * 1000;
  const next = () => profile.templates[sent % profile.templates.length] as Template;
  if ('lanes' in order) {
    const lane = async () => {
      while (performance.now() < deadline) await sendOne(order.otlp, next(), tally);
    };
    await Promise.all(Array.from({ length: order.lanes }, lane));
  } else {
    await steadily(profile, order, deadline, tally, next);
  }
  const seconds = (performance.now() - start) / 1000;
  return { ...tally, seconds };
}

/** At its times whatever the answers: a slow server gets no fewer requests. */
async function steadily(
  _profile: Profile,
  { otlp, api, ...order }: Extract<Order, { spansPerSecond: number }>,
  deadline: number,
  tally: Tally,
  next: () => Template,
): Promise<void> {
  const open = new Set<Promise<void>>();
  let due = performance.now();
  // One trace in question at a time: the questions should not be the load.
  let asking: Promise<void> | undefined;
  while (due < deadline) {
    await sleep(Math.max(0, due - performance.now()));
    const template = next();
    const one = sendOne(otlp, template, tally).then((trace) => {
      if (!order.followUps || asking !== undefined) return;
      asking = readable(api, trace, tally).finally(() => {
        asking = undefined;
      });
    });
    open.add(one);
    void one.finally(() => open.delete(one));
    due += (template.spans / order.spansPerSecond) * 1000;
  }
  await Promise.all(open);
  await asking;
}

const profile = process.argv[2] === 'chat' ? chatProfile() : plainProfile();
process.on('message', async (order: Order) => {
  process.send?.(await run(profile, order));
});
process.send?.({ bytesPerSpan: profile.bytesPerSpan } satisfies Ready);
