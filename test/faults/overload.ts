import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lostOf, readFacts } from './checks.ts';
import { newInstance } from './instance.ts';
import { type Item, itemsOf, pack } from './items.ts';
import { type PlannedTask, planner } from './plan.ts';

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
  /** Above {@link MAX_RSS_MB}. */
  readonly rss_over_bound_mb: number;
  readonly rss_after_mb: number;
  readonly drained_seconds: number;
  readonly ack_after_ms: number;
  readonly lost: number;
  readonly clean: boolean;
}

/** Connections of the sender: beyond them it waits, as a real sender's queue would. */
const MAX_OPEN = 400;
const BODIES = 50;
const SPANS = 400;
/** What an embedded Plumbline may take at most. */
const MAX_RSS_MB = 1300;

/**
 * Ten times what Plumbline can store, offered without waiting for answers. A small journal fills at once and has to
 * refuse; a large one takes what it can for all the time, and what waits in it must not wait in memory.
 */
export async function overload(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly journal: 'small' | 'large';
  readonly say: (text: string) => void;
}): Promise<OverloadResult> {
  const { seed, seconds, journal, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-faults-'));
  const instance = newInstance({
    name: 'a',
    data: join(directory, 'a'),
    env: journal === 'small' ? { PLUMBLINE_JOURNAL_BYTES: String(16 * 1024 * 1024) } : {},
  });
  const templates = templatesOf(seed);
  const count = { sent: 0, acked: 0, refused: 0, bare: 0, broken: 0, wrong: 0, dropped: 0 };
  const acked: Stamped[] = [];

  /** Sends what was never sent before: what is known already would be acknowledged without any work. */
  async function send(): Promise<number> {
    const next = nextOf(templates, count.sent);
    count.sent += 1;
    const start = performance.now();
    try {
      const response = await fetch(`${instance.urls.otlp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bodyOf(next),
      });
      await response.arrayBuffer();
      if (response.status === 200) {
        count.acked += 1;
        acked.push(next);
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
    // The first ones find everything cold, and would make ten times too little of it.
    await measure(20, send, () => instance.drained());
    const capacity = await measure(50, send, () => instance.drained());
    const before = instance.memory().now;
    say(`capacity ${Math.round(capacity)} spans/s, RSS ${before} MB`);
    const perMs = (capacity * 10) / SPANS / 1000;
    const begun = count.acked;
    const pending = new Set<Promise<unknown>>();
    let most = before;
    let due = 0;
    const start = performance.now();
    while (performance.now() - start < seconds * 1000) {
      // By the time that has passed: a sender short of CPU must not become a gentle one.
      for (const now = (performance.now() - start) * perMs; due < now; due += 1) {
        if (pending.size >= MAX_OPEN) {
          count.dropped += 1;
          continue;
        }
        const one = send().finally(() => pending.delete(one));
        pending.add(one);
      }
      most = Math.max(most, instance.memory().now);
      await sleep(20);
    }
    const ackedMeanwhile = count.acked - begun;
    const factor = (due * SPANS) / ((performance.now() - start) / 1000) / capacity;
    await Promise.all(pending);
    const stop = performance.now();
    await instance.drained();
    const drained = (performance.now() - stop) / 1000;
    const ackAfter = await send();
    await instance.drained();
    const after = instance.memory();
    await instance.kill();
    const lost = lostOf(await readFacts({ path: join(directory, 'a') }), itemsIn(acked)).length;
    const rss = Math.max(most, after.most);
    return {
      seconds,
      capacity_spans_s: Math.round(capacity),
      offered_spans_s: Math.round((due * SPANS) / seconds),
      factor: Math.round(factor * 10) / 10,
      acked_spans_s: Math.round((ackedMeanwhile * SPANS) / seconds),
      acked: count.acked,
      refused: count.refused,
      refused_without_retry_after: count.bare,
      dropped_by_sender: count.dropped,
      broken: count.broken,
      wrong: count.wrong,
      rss_before_mb: before,
      rss_max_mb: rss,
      rss_over_bound_mb: Math.max(0, rss - MAX_RSS_MB),
      rss_after_mb: after.now,
      drained_seconds: drained,
      ack_after_ms: ackAfter,
      lost,
      clean:
        count.wrong === 0 &&
        count.broken === 0 &&
        count.bare === 0 &&
        (journal === 'large' || count.refused > 0) &&
        factor >= 9 &&
        lost === 0 &&
        ackAfter < 1000 &&
        rss <= MAX_RSS_MB,
    };
  } finally {
    await instance.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Stands for a number in a template, at the beginning of every trace's id and in every task's. */
const MARK = 'abadcafe';

interface Template {
  readonly body: Buffer;
  /** Where the mark is. */
  readonly at: readonly number[];
  /** Trace and span of each item. */
  readonly keys: readonly string[];
}

interface Stamped {
  readonly template: Template;
  readonly serial: string;
}

function templatesOf(seed: number): Template[] {
  const plan = planner(seed, Date.now());
  const items: Item[] = [];
  while (items.length < BODIES * SPANS) {
    const whole = itemsOf(marked(plan(), seed));
    items.push(...whole.filter(({ signal, partial }) => signal === 'traces' && !partial));
  }
  return Array.from({ length: BODIES }, (_, i) => {
    const own = items.slice(i * SPANS, (i + 1) * SPANS);
    const body = Buffer.from(pack(own, false).body);
    const at: number[] = [];
    for (let next = body.indexOf(MARK); next >= 0; next = body.indexOf(MARK, next + 1))
      at.push(next);
    return { body, at, keys: own.map(({ key }) => key) };
  });
}

function marked(task: PlannedTask, seed: number): PlannedTask {
  const spans = task.spans.map((span) => ({
    ...span,
    trace: `${MARK}${span.trace.slice(MARK.length)}`,
    carries: span.carries.replace(`task-${seed}-`, `task-${MARK}-`),
  }));
  return { ...task, spans };
}

function nextOf(templates: readonly Template[], sent: number): Stamped {
  const template = templates[sent % templates.length];
  if (template === undefined) throw new Error('no template');
  return { template, serial: sent.toString(16).padStart(MARK.length, '0') };
}

function bodyOf({ template: { body, at }, serial }: Stamped): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(body.length);
  copy.set(body);
  const bytes = Buffer.from(serial, 'latin1');
  for (const position of at) copy.set(bytes, position);
  return copy;
}

function* itemsIn(requests: readonly Stamped[]): Generator<Item> {
  for (const { template, serial } of requests) {
    for (const key of template.keys) {
      yield { signal: 'traces', key: key.replace(MARK, serial), partial: false, json: {} };
    }
  }
}

async function measure(
  requests: number,
  send: () => Promise<number>,
  drained: () => Promise<void>,
): Promise<number> {
  let left = requests;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (; left > 0; left -= 1) await send();
    }),
  );
  await drained();
  return (requests * SPANS * 1000) / (performance.now() - start);
}
