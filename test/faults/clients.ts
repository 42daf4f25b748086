import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from './instance.ts';
import { type Item, pack, type Request } from './items.ts';

/** Senders that never give up: what was not acknowledged comes again, as it was or in other company. */
export interface Clients {
  /** Items to be sent for the first time. */
  add(items: readonly Item[]): void;
  /** No more duplicates and fresh data; resolves when every request under way has its answer. */
  pause(): Promise<void>;
  /** Sends what is left until everything is acknowledged. */
  finish(): Promise<void>;
  /** Items with a 200. */
  readonly acked: ReadonlySet<Item>;
  readonly backlog: number;
  readonly stats: ClientStats;
}

export interface ClientStats {
  requests: number;
  acked: number;
  /** Sent again although acknowledged. */
  repeated: number;
  /** 503s, and whether each said when to come again. */
  refused: number;
  withoutRetryAfter: number;
  /** Connections that broke: nobody knows whether the request was stored. */
  broken: number;
  /** Any other status: a fault. */
  wrong: number;
}

export interface ClientOptions {
  readonly instances: readonly Instance[];
  readonly random: () => number;
  readonly workers?: number;
  /** Pause of a worker between requests. */
  readonly paceMs?: number;
  /** Share of requests that repeat one already sent. */
  readonly duplicates?: number;
  /** Bytes to make the next request larger by, uncompressed. */
  readonly padding?: () => number;
}

/** How many requests a client keeps to send their bytes again. */
const KEPT = 300;
/** A start takes some seconds, on a busy machine some more. */
const LONGEST_DOWN_MS = 90_000;

export function startClients(options: ClientOptions): Clients {
  const { instances, random, workers = 5, paceMs = 10, duplicates = 0.3 } = options;
  const padding = options.padding ?? (() => 0);
  const fresh: Item[] = [];
  const again: Item[] = [];
  const history: Request[] = [];
  const acked = new Set<Item>();
  const stats: ClientStats = {
    requests: 0,
    acked: 0,
    repeated: 0,
    refused: 0,
    withoutRetryAfter: 0,
    broken: 0,
    wrong: 0,
  };
  let upAt = Date.now();
  let mode: 'run' | 'finish' | 'stop' = 'run';
  const int = (below: number) => Math.floor(random() * below);

  /** Some items of one signal, from near the front of a list but not in its order: batches of many senders mix. */
  function take(list: Item[]): Item[] {
    const size = 1 + int(60);
    const signal = list[0]?.signal;
    const taken: Item[] = [];
    for (let tries = 0; tries < size * 2 && taken.length < size && list.length > 0; tries++) {
      const at = int(Math.min(list.length, 300));
      if (list[at]?.signal === signal) taken.push(...list.splice(at, 1));
    }
    return taken;
  }

  function next(): Request | undefined {
    if (mode === 'run' && history.length > 0 && random() < duplicates) {
      stats.repeated += 1;
      return history[int(history.length)];
    }
    const list = again.length > 0 && (mode === 'finish' || random() < 0.5) ? again : fresh;
    // Half of what was acknowledged meanwhile, with other bytes, comes in new company all the same. The other half does
    // not: what is lost must stay lost, or nobody would see it.
    const items = take(list.length > 0 ? list : again).filter(
      (item) => !acked.has(item) || random() < 0.5,
    );
    if (items.length === 0) return undefined;
    const pad = padding();
    return pack(items, pad === 0 && random() < 0.5, pad);
  }

  /** Whoever is killed is started again at once; one that ended by itself is not. */
  function noteUp(isUp: boolean): void {
    if (isUp) upAt = Date.now();
    else if (Date.now() - upAt > LONGEST_DOWN_MS)
      throw new Error('every server has ended by itself');
  }

  async function send(request: Request): Promise<void> {
    const up = instances.filter(({ isUp }) => isUp);
    const target = up[int(up.length)];
    stats.requests += 1;
    noteUp(target !== undefined);
    const status = target === undefined ? 0 : await post(target, request, stats);
    if (status === 200) {
      stats.acked += 1;
      for (const item of request.items) acked.add(item);
      history[history.length < KEPT ? history.length : int(KEPT)] = request;
      return;
    }
    again.push(...request.items.filter((item) => !acked.has(item)));
    // Half of the clients keep the bytes and send them again as they are.
    if (random() < 0.5) history[history.length < KEPT ? history.length : int(KEPT)] = request;
    await sleep(20 + int(80));
  }

  const isDone = () => mode === 'stop' || (mode === 'finish' && fresh.length + again.length === 0);

  async function work(): Promise<void> {
    while (!isDone()) {
      const request = next();
      if (request !== undefined) await send(request);
      await sleep(request === undefined ? 20 : mode === 'finish' ? 0 : paceMs);
    }
  }

  const start = () => Promise.all(Array.from({ length: workers }, work)).then(() => undefined);
  let running = start();

  return {
    add: (items) => {
      fresh.push(...items);
    },
    async pause() {
      mode = 'stop';
      await running;
    },
    async finish() {
      mode = 'stop';
      await running;
      mode = 'finish';
      // A worker may put back what another has just looked for: until nothing is left.
      while (fresh.length + again.length > 0) {
        running = start();
        await running;
      }
    },
    acked,
    get backlog() {
      return fresh.length + again.length;
    },
    stats,
  };
}

/** The status, or 0 when the connection broke. */
async function post(target: Instance, request: Request, stats: ClientStats): Promise<number> {
  try {
    const response = await fetch(target.urls.otlp + request.path, {
      method: 'POST',
      headers: request.headers,
      body: new Uint8Array(request.body),
      signal: AbortSignal.timeout(15_000),
    });
    await response.arrayBuffer();
    if (response.status === 503) {
      stats.refused += 1;
      if (response.headers.get('retry-after') === null) stats.withoutRetryAfter += 1;
    } else if (response.status !== 200) stats.wrong += 1;
    return response.status;
  } catch {
    stats.broken += 1;
    return 0;
  }
}
