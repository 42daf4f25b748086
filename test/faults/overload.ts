import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lostOf, readFacts } from './checks.ts';
import { newInstance } from './instance.ts';
import { type Item, itemsOf, pack, type Request } from './items.ts';
import { planner } from './plan.ts';

export interface OverloadResult {
  readonly seconds: number;
  /** Spans a second that are acknowledged, stored and derived when the sender waits for each answer. */
  readonly capacity_spans_s: number;
  readonly offered_spans_s: number;
  /** Offered over capacity: below 9 the sender did not overload anything, and the run proves nothing. */
  readonly factor: number;
  readonly acked_spans_s: number;
  readonly acked: number;
  readonly refused: number;
  readonly refused_without_retry_after: number;
  readonly dropped_by_sender: number;
  readonly broken: number;
  readonly wrong: number;
  readonly rss_before_mb: number;
  readonly rss_max_mb: number;
  readonly rss_after_mb: number;
  readonly drained_seconds: number;
  readonly ack_after_ms: number;
  readonly lost: number;
  readonly clean: boolean;
}

/** Connections of the sender: beyond them it waits, as a real sender's queue would. */
const MAX_OPEN = 400;
const BODIES = 150;
const SPANS = 400;
/** What an embedded Plumbline may take at most. */
const MAX_RSS_MB = 1500;

/** Ten times what Plumbline can take, offered without waiting for answers. */
export async function overload(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
}): Promise<OverloadResult> {
  const { seed, seconds, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-faults-'));
  const instance = newInstance({
    name: 'a',
    data: join(directory, 'a'),
    env: { PLUMBLINE_JOURNAL_BYTES: String(16 * 1024 * 1024) },
  });
  const requests = bodies(seed);
  const count = { acked: 0, refused: 0, bare: 0, broken: 0, wrong: 0, dropped: 0 };
  const acked = new Set<Item>();

  async function send(request: Request): Promise<number> {
    const start = performance.now();
    try {
      const response = await fetch(instance.urls.otlp + request.path, {
        method: 'POST',
        headers: request.headers,
        body: new Uint8Array(request.body),
      });
      await response.arrayBuffer();
      if (response.status === 200) {
        count.acked += 1;
        for (const item of request.items) acked.add(item);
      } else if (response.status === 503) {
        count.refused += 1;
        if (response.headers.get('retry-after') === null) count.bare += 1;
      } else count.wrong += 1;
    } catch {
      count.broken += 1;
    }
    return performance.now() - start;
  }

  try {
    await instance.start();
    const capacity = await measure(requests.slice(0, 50), send, () => instance.drained());
    const before = instance.memory().now;
    say(`capacity ${Math.round(capacity)} spans/s, RSS ${before} MB`);
    const perMs = (capacity * 10) / SPANS / 1000;
    const begun = count.acked;
    const pending = new Set<Promise<unknown>>();
    let most = before;
    let sent = 0;
    const start = performance.now();
    while (performance.now() - start < seconds * 1000) {
      // By the time that has passed: a sender short of CPU must not become a gentle one.
      for (const due = (performance.now() - start) * perMs; sent < due; ) {
        const request = requests[sent % requests.length];
        sent += 1;
        if (request === undefined || pending.size >= MAX_OPEN) {
          count.dropped += 1;
          continue;
        }
        const one = send(request).finally(() => pending.delete(one));
        pending.add(one);
      }
      most = Math.max(most, instance.memory().now);
      await sleep(20);
    }
    const ackedMeanwhile = count.acked - begun;
    const factor = (sent * SPANS) / ((performance.now() - start) / 1000) / capacity;
    await Promise.all(pending);
    const stop = performance.now();
    await instance.drained(300);
    const drained = (performance.now() - stop) / 1000;
    const [first] = requests;
    const ackAfter = first === undefined ? Number.NaN : await send(first);
    await instance.drained();
    const after = instance.memory();
    await instance.kill();
    const lost = lostOf(await readFacts({ path: join(directory, 'a') }), acked).length;
    return {
      seconds,
      capacity_spans_s: Math.round(capacity),
      offered_spans_s: Math.round((sent * SPANS) / seconds),
      factor: Math.round(factor * 10) / 10,
      acked_spans_s: Math.round((ackedMeanwhile * SPANS) / seconds),
      acked: count.acked,
      refused: count.refused,
      refused_without_retry_after: count.bare,
      dropped_by_sender: count.dropped,
      broken: count.broken,
      wrong: count.wrong,
      rss_before_mb: before,
      rss_max_mb: Math.max(most, after.most),
      rss_after_mb: after.now,
      drained_seconds: drained,
      ack_after_ms: ackAfter,
      lost,
      clean:
        count.wrong === 0 &&
        count.broken === 0 &&
        count.bare === 0 &&
        count.refused > 0 &&
        factor >= 9 &&
        lost === 0 &&
        ackAfter < 1000 &&
        Math.max(most, after.most) < MAX_RSS_MB,
    };
  } finally {
    await instance.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

function bodies(seed: number): Request[] {
  const plan = planner(seed, Date.now());
  const items: Item[] = [];
  while (items.length < BODIES * SPANS) {
    items.push(...itemsOf(plan()).filter(({ signal, partial }) => signal === 'traces' && !partial));
  }
  return Array.from({ length: BODIES }, (_, i) =>
    pack(items.slice(i * SPANS, (i + 1) * SPANS), false),
  );
}

async function measure(
  requests: readonly Request[],
  send: (request: Request) => Promise<number>,
  drained: () => Promise<void>,
): Promise<number> {
  const queue = requests.values();
  const start = performance.now();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (const request of queue) await send(request);
    }),
  );
  await drained();
  return (requests.length * SPANS * 1000) / (performance.now() - start);
}
