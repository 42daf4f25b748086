import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { journal, quarantine } from '../../cli/journal.ts';
import { type Offline, offline } from '../../cli/offline.ts';
import { readConfig } from '../../config.ts';
import type { JournalRecord } from '../../ingest/journal/record.ts';
import { openQuarantine } from '../../ingest/quarantine.ts';
import { query, sql } from '../../store/sql.ts';

const data = mkdtempSync(join(tmpdir(), 'plumbline-commands-'));
const config = readConfig({ PLUMBLINE_DATA: data });
afterAll(() => rmSync(data, { recursive: true }));

/** One span of a trace of its own. */
function record(n: number): JournalRecord {
  const span = {
    traceId: String(n).padStart(32, '0'),
    spanId: 'b'.repeat(16),
    name: 'chat',
    startTimeUnixNano: '1748779200000000000',
  };
  const text = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  const rest = { signal: 'traces', encoding: 'json', compression: 'none' } as const;
  return { ...rest, project: 'default', receivedAt: Date.now(), body: Buffer.from(text) };
}

let printed = '';
const terminal = {
  config: () => config,
  out: (text: string) => {
    printed += text;
  },
  err: () => undefined,
};

async function run(...args: readonly string[]): Promise<string> {
  printed = '';
  const command = args[0] === 'journal' ? journal : quarantine;
  expect(await command.run(args, terminal)).toBe(0);
  return printed;
}

/** Work on the same data directory as the commands, which want it for themselves. */
const withStore = <T>(work: (open: Offline) => Promise<T>) => offline(config, work);

const spans = () =>
  withStore(async ({ store, ingest }) => {
    await ingest.drained();
    return query(store, sql`SELECT count() AS n FROM spans FINAL`);
  });

it('journal shows what is on disk, and replay stores it again without counting twice', async () => {
  expect(await run('journal')).toMatch(/checkpoint {2}0 of 0: 0 bytes to store/);
  await withStore(async ({ store, ingest }) => {
    for (const n of [1, 2, 3]) await ingest.accept(record(n));
    await ingest.drained();
    await store.client.command({ query: 'TRUNCATE TABLE spans' });
  });
  const shown = await run('journal');
  expect(shown).toMatch(/segment +0 +\d+ bytes +done/);
  expect(shown).toMatch(/checkpoint +(\d+) of \1: 0 bytes to store/);

  expect(await run('journal', 'replay')).toMatch(/replayed \d+ bytes; in quarantine: 0/);
  await run('journal', 'replay');
  expect(await spans()).toEqual([{ n: '3' }]);
});

it('quarantine lists what is kept, and retry stores it and forgets it', async () => {
  const quarantine = openQuarantine(join(data, 'journal', 'quarantine'), 1e6);
  quarantine.put(record(7), 100, 'ClickHouse error 53 TYPE_MISMATCH');
  quarantine.put({ ...record(8), body: Buffer.from('not JSON') }, 200, 'TypeError');
  const listed = await run('quarantine', 'list');
  expect(listed).toMatch(/traces .* project default .* ClickHouse error 53 TYPE_MISMATCH/);
  expect(listed).toMatch(/2 requests in quarantine/);

  const retried = await run('quarantine', 'retry');
  expect(retried).toMatch(/stays: body: not JSON/);
  expect(retried).toMatch(/1 requests tried again, 1 in quarantine now/);
  expect(await spans()).toEqual([{ n: '4' }]);
  expect(await run('quarantine')).toMatch(/1 requests in quarantine/);
});

it('leaves other commands to others', async () => {
  for (const args of [['journal', 'delete'], ['quarantine', 'list', 'x'], ['serve']]) {
    for (const command of [journal, quarantine]) {
      expect(await command.run(args, terminal)).toBeUndefined();
    }
  }
});
