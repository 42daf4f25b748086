import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ClickHouseError } from '@clickhouse/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { Touched } from '../store/derive/deriver.ts';
import { createAccept } from './accept.ts';
import { createBudget } from './budget.ts';
import { createCounters } from './counters.ts';
import { type DerivationOptions, startDerivation } from './derivation.ts';
import { type JournalOptions, openJournal } from './journal/journal.ts';
import { parse } from './journal/record.ts';
import { createObstacles } from './obstacles.ts';
import type { Arrival, Outcome } from './outcome.ts';
import { createProgress } from './progress.ts';
import { listQuarantine, openQuarantine, removeKept } from './quarantine.ts';
import { type Accepted, createQueue } from './queue.ts';
import type { Patience } from './retry.ts';
import { createSeen } from './seen.ts';
import { startWriter } from './writer.ts';

const cleanup: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-writer-'));
  cleanup.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

interface Options extends Partial<JournalOptions> {
  readonly queueBytes?: number;
  readonly quarantineBytes?: number;
  readonly patience?: Patience;
  readonly maxItems?: number;
  readonly derive?: DerivationOptions['derive'];
  readonly large?: DerivationOptions['large'];
}

type Write = (
  requests: readonly Accepted[],
  token: string | undefined,
) => Promise<readonly Touched[]>;

/** The way from `accept` to the store, with a real journal and `write` in the place of ClickHouse. */
async function setUp(write: Write, options: Options = {}) {
  const directory = options.directory ?? newDirectory();
  const journal = await openJournal({ ...options, directory });
  const counters = createCounters();
  const problems: unknown[] = [];
  const report = (problem: unknown) => problems.push(problem);
  const maxBodyBytes = 100_000;
  const quarantine = openQuarantine(join(directory, 'q'), options.quarantineBytes ?? 1e6);
  const queue = createQueue({
    journal,
    maxBytes: options.queueBytes ?? 1e6,
    maxBodyBytes,
    onDamage: () => undefined,
  });
  const budget = createBudget(1e6);
  const accept = createAccept({
    journal,
    queue,
    budget,
    maxBodyBytes,
    seen: createSeen(0),
    counters,
    report,
  });
  const { maxItems = 100, derive = () => Promise.resolve() } = options;
  const progress = createProgress(journal.checkpointed);
  const obstacles = createObstacles(report);
  const steps = { journal, progress, obstacles, counters, report };
  const derivation = startDerivation({ ...steps, derive, large: options.large, maxWaiting: 10 });
  const writer = startWriter({
    ...steps,
    ...{
      queue,
      prepare: prepareBy(write),
      derivation,
      quarantine,
      maxItems,
      maxBytes: 1e6,
      lingerMs: 5,
      tokens: true,
    },
    patience: options.patience ?? { tries: 3, ms: 0 },
  });
  const stop = async () => {
    await writer.stop();
    await derivation.stop();
    await journal.close();
  };
  cleanup.push(stop);
  const { reached } = progress;
  return { directory, ...steps, problems, quarantine, queue, budget, accept, reached, stop };
}

const prepareBy = (write: Write) => (requests: readonly Accepted[]) =>
  Promise.resolve((token: string | undefined) => write(requests, token));

/** A request of one span called `name`. */
function arrival(name: string, fields: Partial<Arrival> = {}): Arrival {
  const span = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    name,
    startTimeUnixNano: '1748779200000000000',
  };
  const body = Buffer.from(
    JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  );
  return { signal: 'traces', encoding: 'json', compression: 'none', project: 'p', body, ...fields };
}

const namesOf = (requests: readonly Accepted[]) =>
  requests.flatMap(({ payload }) =>
    payload().decoded.batches.flatMap(({ items }) =>
      items.map((item) => ('name' in item ? item.name : '')),
    ),
  );

/** Keeps the names of what it is given. */
function keeping(): {
  readonly stored: string[];
  readonly tokens: (string | undefined)[];
  readonly write: Write;
} {
  const stored: string[] = [];
  const tokens: (string | undefined)[] = [];
  const write: Write = async (requests, token) => {
    stored.push(...namesOf(requests));
    tokens.push(token);
    return [{ project: 'p', traces: namesOf(requests), tasks: [] }];
  };
  return { stored, tokens, write };
}

function clickHouseError(code: string): ClickHouseError {
  return new ClickHouseError({ message: 'from the server', code, type: 'X' });
}

async function acceptAll(
  accept: (arrival: Arrival) => Promise<Outcome>,
  names: readonly string[],
): Promise<void> {
  const outcomes = await Promise.all(names.map((name) => accept(arrival(name))));
  expect(outcomes).toEqual(names.map(() => ({ kind: 'accepted' })));
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `span ${i}`);

describe('an accepted request', () => {
  it('reaches the store once, in order, and the checkpoint follows', async () => {
    const { stored, tokens, write } = keeping();
    const { accept, reached, journal } = await setUp(write);
    await acceptAll(accept, names(20));
    await reached(journal.end);
    expect(stored).toEqual(names(20));
    expect(journal.checkpointed).toBe(journal.end);
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens).not.toContain(undefined);
  });

  it('comes from the journal when memory is short, in the same order', async () => {
    const { stored, write } = keeping();
    const { accept, reached, journal, queue } = await setUp(write, {
      queueBytes: 500,
      maxItems: 3,
    });
    await acceptAll(accept, names(50));
    expect(queue.bytes).toBeLessThanOrEqual(500);
    await reached(journal.end);
    await acceptAll(accept, ['later']);
    await reached(journal.end);
    expect(stored).toEqual([...names(50), 'later']);
  });

  it('is replayed by the next process, without token, if this one did not store it', async () => {
    const directory = newDirectory();
    const away = await setUp(() => Promise.reject(new Error('ECONNREFUSED')), { directory });
    await acceptAll(away.accept, names(5));
    await away.stop();
    cleanup.pop();

    const { stored, tokens, write } = keeping();
    const { accept, reached, journal } = await setUp(write, { directory });
    await reached(journal.openedAt);
    expect(stored).toEqual(names(5));
    expect(new Set(tokens)).toEqual(new Set([undefined]));
    await acceptAll(accept, ['new']);
    await reached(journal.end);
    expect(stored).toEqual([...names(5), 'new']);
    expect(tokens.at(-1)).toMatch(journal.id);
  });

  it('is acked while the store is away, and stored when it is back', async () => {
    const { stored, write } = keeping();
    let failures = 2;
    const { accept, reached, journal, obstacles, problems, counters } = await setUp(
      async (requests, token) => {
        failures -= 1;
        // 252 TOO_MANY_PARTS: the store's trouble, not the data's.
        if (failures >= 0) throw clickHouseError('252');
        return write(requests, token);
      },
    );
    await acceptAll(accept, names(3));
    expect(journal.checkpointed).toBe(0);
    await expect.poll(() => obstacles.first).toContain('252');
    await reached(journal.end);
    expect(stored).toEqual(names(3));
    expect(obstacles.first).toBe(null);
    expect(counters.retries).toBe(2);
    expect(problems).toHaveLength(1);
  });

  it('is refused as busy once the journal is full, and taken again later', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<[]>((resolve) => {
      open = () => resolve([]);
    });
    const { accept, reached, journal } = await setUp(() => gate, { maxBytes: 1000 });
    const outcomes = [];
    for (const name of names(10)) outcomes.push(await accept(arrival(name)));
    expect(outcomes.at(-1)).toMatchObject({ kind: 'busy', retryAfterSeconds: 5 });
    open();
    await reached(journal.end);
    await acceptAll(accept, ['again']);
  });
});

describe('a request that the store refuses for its content', () => {
  it('is set aside as received, and its neighbours are stored', async () => {
    const { stored, write } = keeping();
    const { accept, reached, journal, quarantine, problems, directory } = await setUp(
      async (requests, token) => {
        if (namesOf(requests).includes('span 5')) throw clickHouseError('53');
        return write(requests, token);
      },
    );
    await acceptAll(accept, names(12));
    await reached(journal.end);
    expect(stored).toEqual(names(12).filter((name) => name !== 'span 5'));
    expect(quarantine.requests).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/quarantine: ClickHouse error 53 X$/)]);
    const [file] = readdirSync(join(directory, 'q')).filter((name) => !name.endsWith('.why'));
    const kept = parse(readFileSync(join(directory, 'q', file!)), 0, 0);
    expect(kept.kind).toBe('record');
    if (kept.kind !== 'record') return;
    expect(Buffer.from(kept.record.body)).toEqual(arrival('span 5').body);
    expect(openQuarantine(join(directory, 'q'), 1e6).requests).toBe(1);
  });

  it('is found too when its error could be of anything, once patience is over', async () => {
    const { stored, write } = keeping();
    const { accept, reached, journal, quarantine, directory, counters } = await setUp(
      async (requests, token) => {
        // 44 ILLEGAL_COLUMN: on neither list.
        if (namesOf(requests).includes('span 2')) throw clickHouseError('44');
        return write(requests, token);
      },
    );
    await acceptAll(accept, names(5));
    await reached(journal.end);
    expect(stored).toEqual(names(5).filter((name) => name !== 'span 2'));
    expect(quarantine.requests).toBe(1);
    expect(counters.retries).toBeGreaterThanOrEqual(2);
    const kept = [...listQuarantine(join(directory, 'q'), () => undefined)];
    expect(kept).toMatchObject([
      { why: 'ClickHouse error 44 X', record: { signal: 'traces', project: 'p' } },
    ]);
    removeKept(join(directory, 'q'), kept[0]!.name);
    expect(readdirSync(join(directory, 'q'))).toEqual([]);
  });

  it('is not looked for while patience lasts, nor for an error of the server', async () => {
    const { stored, write } = keeping();
    let failures = 3;
    const { accept, reached, journal, quarantine } = await setUp(
      async (requests, token) => {
        failures -= 1;
        if (failures >= 0) throw clickHouseError(failures > 1 ? '241' : '44');
        return write(requests, token);
      },
      { patience: { tries: 2, ms: 60_000 } },
    );
    await acceptAll(accept, names(2));
    await reached(journal.end);
    expect([stored, quarantine.requests]).toEqual([names(2), 0]);
  });

  it('holds everything up rather than be dropped when the quarantine is full', async () => {
    const { stored, write } = keeping();
    const { accept, obstacles, progress } = await setUp(
      async (requests, token) => {
        if (namesOf(requests).includes('bad')) throw new TypeError('bug');
        return write(requests, token);
      },
      { quarantineBytes: 10 },
    );
    await acceptAll(accept, ['bad', 'next']);
    await expect.poll(() => obstacles.first).toContain('cannot be put into quarantine');
    expect(stored).not.toContain('next');
    expect(progress.position).toBe(0);
  });
});

describe('the derivation', () => {
  it('runs behind the inserts, gathers what comes meanwhile, and takes the checkpoint along', async () => {
    const { stored, write } = keeping();
    const derived: string[][] = [];
    const gates: (() => void)[] = [];
    const { accept, reached, journal } = await setUp(write, {
      maxItems: 1,
      derive: async (touched) => {
        derived.push(touched.flatMap(({ traces }) => traces));
        await new Promise<void>((resolve) => gates.push(resolve));
      },
    });
    await acceptAll(accept, names(4));
    await expect.poll(() => stored.length).toBe(4);
    expect(derived).toEqual([['span 0']]);
    expect(journal.checkpointed).toBe(0);
    gates.shift()?.();
    await expect.poll(() => gates.length).toBe(1);
    expect(derived[1]).toEqual(['span 1', 'span 2', 'span 3']);
    gates.shift()?.();
    await reached(journal.end);
    expect(journal.checkpointed).toBe(journal.end);
  });

  it('holds up the inserts when too much waits for it', async () => {
    const { stored, write } = keeping();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { accept, reached, journal } = await setUp(write, { maxItems: 1, derive: () => gate });
    await acceptAll(accept, names(30));
    // One trace in hand and ten waiting.
    await expect.poll(() => stored.length).toBe(11);
    open();
    await reached(journal.end);
    expect(stored).toHaveLength(30);
  });

  it('derives large tasks when they are due or somebody waits, beside the others and behind the checkpoint', async () => {
    const { stored, write } = keeping();
    const derived: string[] = [];
    const derivedLarge: string[] = [];
    let dueAt = Number.POSITIVE_INFINITY;
    const { accept, reached, journal, progress } = await setUp(write, {
      maxItems: 1,
      derive: async (touched) => void derived.push(...touched.flatMap(({ traces }) => traces)),
      large: {
        large: async (touched) =>
          touched
            .filter(({ traces }) => traces.includes('span 1'))
            .map(({ project }) => ({
              project,
              task: 'big',
              touched: { project, traces: ['span 1'], tasks: [] },
            })),
        dueAt: () => dueAt,
        deriveLarge: async (touched) =>
          void derivedLarge.push(...touched.flatMap(({ traces }) => traces)),
      },
    });
    const send = async () => {
      await acceptAll(accept, ['span 0', 'span 1', 'span 2']);
      await expect.poll(() => derived).toContain('span 2');
      return journal.checkpointed;
    };
    const held = await send();
    expect(derivedLarge).toEqual([]);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(journal.end);
    dueAt = 0;
    await expect.poll(() => progress.position).toBe(journal.end);
    expect(derivedLarge).toEqual(['span 1']);

    dueAt = Number.POSITIVE_INFINITY;
    derived.length = 0;
    expect(await send()).toBeLessThan(journal.end);
    await reached(journal.end);
    expect(derivedLarge).toEqual(['span 1', 'span 1']);
    expect(stored).toHaveLength(6);
    expect(derived).not.toContain('span 1');
  });

  it('is repeated while the store is away, and gives up only the one trace it stumbles over', async () => {
    const { write } = keeping();
    const derived = new Set<string>();
    let failures = 1;
    const { accept, reached, journal, counters, problems, quarantine } = await setUp(write, {
      derive: async (touched) => {
        const traces = touched.flatMap((one) => one.traces);
        failures -= 1;
        if (failures >= 0) throw clickHouseError('210');
        if (traces.includes('span 3')) throw new TypeError('bug');
        for (const trace of traces) derived.add(trace);
      },
    });
    await acceptAll(accept, names(8));
    await reached(journal.end);
    expect([...derived].sort()).toEqual(names(8).filter((name) => name !== 'span 3'));
    expect(counters).toMatchObject({ retries: 1, underived: 1 });
    expect(problems.at(-1)).toBe('cannot derive trace or task span 3: TypeError');
    expect(quarantine.requests).toBe(0);
  });
});

describe('accept', () => {
  const nothing: Write = () => Promise.resolve([]);

  it('refuses what cannot be read, and stores nothing of it', async () => {
    const { accept, journal, budget, problems } = await setUp(nothing);
    const broken = [
      arrival('', { body: Buffer.from('{') }),
      arrival('', { body: Buffer.from('{}'), compression: 'gzip' }),
      arrival('', { encoding: 'protobuf' }),
      arrival('', { signal: 'logs', body: Buffer.from('[]') }),
    ];
    for (const one of broken) {
      expect(await accept(one)).toMatchObject({ kind: 'refused', refusal: 'malformed' });
    }
    expect(problems).toHaveLength(4);
    expect(journal.end).toBe(0);
    expect(budget.used).toBe(0);
  });

  it('refuses what is too large once decompressed', async () => {
    const { accept } = await setUp(nothing);
    const body = gzipSync(Buffer.alloc(200_000, ' '));
    expect(await accept(arrival('', { body, compression: 'gzip' }))).toMatchObject({
      kind: 'refused',
      refusal: 'too_large',
    });
  });

  it('takes an empty request as success, and keeps nothing of one with only bad items', async () => {
    const { accept, journal, counters } = await setUp(nothing);
    expect(await accept(arrival('', { body: Buffer.from('{}') }))).toEqual({ kind: 'accepted' });
    const spans = Array(9).fill({ name: 'no ids' });
    const body = Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
    expect(await accept(arrival('', { body }))).toMatchObject({
      kind: 'partial',
      rejected: 9,
      message: expect.stringMatching(/; and 4 more$/),
    });
    expect(journal.end).toBe(0);
    expect(counters.rejected).toEqual(new Map([['trace_id', 9]]));
    expect(counters.received.traces).toBe(9);
    expect(counters.accepted.traces).toBe(0);
  });
});
