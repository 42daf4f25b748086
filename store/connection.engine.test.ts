import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { backends } from '../test/clickhouse/backends.ts';
import { openStore, type Store, StoreUnusable } from './connection.ts';
import { insert } from './insert.ts';
import { type Migration, MigrationError, migrate } from './migrate.ts';
import { param, query, sql } from './sql.ts';
import { messages } from './tables/messages.ts';
import { tables, verifyTables } from './verify.ts';

const MESSAGE = { project: 'p', day: 20_000, trace_id: 't', hash: 1n, content: 'kept' };

describe('openStore on a directory', () => {
  let path: string;
  let store: Store | undefined;
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'plumbline-store-'));
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));

  it('keeps its rows over a restart, and clears files that a killed process left', async () => {
    store = await openStore({ path });
    await insert(store, messages, [MESSAGE]);
    writeFileSync(join(store.tmp, 'left.native'), 'x');
    await store.close();
    store = await openStore({ path });
    expect(await query(store, sql`SELECT content FROM messages_v`)).toEqual([{ content: 'kept' }]);
    expect(readdirSync(store.tmp)).toEqual([]);
  });

  it('tells a second process in one line which process has it', async () => {
    store = await openStore({ path });
    const program = `
      import { openStore } from ${JSON.stringify(new URL('./connection.ts', import.meta.url).href)};
      await openStore({ path: ${JSON.stringify(path)} }).catch((error) => {
        console.log(error.name, error.message);
      });`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      ...['--conditions=app-source', '--import', 'tsx', '--input-type=module', '--eval', program],
    ]);
    const message = `StoreBusy the data directory ${path} is in use by process ${process.pid}`;
    expect(stdout.trim()).toBe(message);
    expect(stderr).toBe('');
  });

  it('refuses a path that it could not write files to', async () => {
    await expect(openStore({ path: join(path, 'what?') })).rejects.toThrow(StoreUnusable);
    writeFileSync(join(path, 'file'), '');
    await expect(openStore({ path: join(path, 'file') })).rejects.toThrow(/cannot create/);
  });
});

for (const backend of backends) {
  describe(`a store on ${backend.name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await backend.open();
    });
    afterAll(() => store?.close());

    it('has every table of store/tables, and says so when a column differs', async () => {
      const files = readdirSync(new URL('./tables/', import.meta.url));
      const others = ['table.ts', 'empty-row.ts'];
      const names = files.filter((file) => !others.includes(file)).map((file) => file.slice(0, -3));
      expect(tables.map((table) => table.name.replace('_', '-')).sort()).toEqual(names.sort());
      await store.client.command({ query: 'ALTER TABLE evaluations DROP COLUMN label' });
      await expect(verifyTables(store.client)).rejects.toThrow(/evaluations\.label: .*nothing/);
      await store.client.command({
        query: 'ALTER TABLE evaluations ADD COLUMN label LowCardinality(String)',
      });
      await expect(verifyTables(store.client)).resolves.toBeUndefined();
    });

    it('has every column of a table in its view, whichever file added it', async () => {
      for (const table of ['spans', 'logs', 'messages', 'metrics_number', 'metrics_histogram']) {
        const columns = async (name: string) => {
          const result = await store.client.query({
            query: `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '${name}' ORDER BY name`,
            format: 'JSONEachRow',
          });
          return result.json();
        };
        expect(await columns(`${table}_v`)).toEqual(await columns(table));
      }
    });

    it('takes hostile values as values', async () => {
      const hostile = [
        `' OR 1=1 --`,
        '\\',
        "\\'; DROP TABLE spans",
        'a\tb\nc',
        '{p0:String}',
        '\u{1F4A5}',
      ];
      for (const value of hostile) {
        const bound = param('String', value);
        const [row] = await query(
          store,
          sql`SELECT ${bound} AS one, ${param('Array(String)', [value])} AS many`,
        );
        expect(row).toEqual({ one: value, many: [value] });
      }
    });

    it('takes more ids at once than fit a parameter of a server', async () => {
      const ids = Array.from({ length: 50_000 }, (_, i) => `trace-${i}`);
      const list = param('Array(String)', ids);
      const rows = await query(
        store,
        sql`SELECT length(${list}) AS n, 'trace-49999' IN ${list} AS last, 'x' IN ${list} AS none`,
      );
      expect(rows).toEqual([{ n: '50000', last: 1, none: 0 }]);
    });

    it('answers 64-bit integers as text, times in UTC, infinity and NaN as null', async () => {
      const [row] = await query(
        store,
        sql`SELECT toUInt64(18446744073709551615) AS big, toDateTime64('2026-01-02 03:04:05.123456789', 9) AS time, nan, inf AS inf`,
      );
      const time = '2026-01-02 03:04:05.123456789';
      expect(row).toEqual({ big: '18446744073709551615', time, nan: null, inf: null });
    });

    describe('migrate', () => {
      const first: Migration = {
        name: '0001_first.sql',
        text: 'CREATE TABLE IF NOT EXISTS first (a UInt8) ENGINE = MergeTree ORDER BY a;',
      };
      const views = (column: string): Migration => ({
        name: '0002_views.sql',
        text: `CREATE OR REPLACE VIEW first_v AS SELECT a AS ${column} FROM first`,
      });
      beforeAll(() => store.client.command({ query: 'TRUNCATE TABLE migrations' }));

      it('applies each file once, and views again when they changed', async () => {
        await migrate(store.client, [first, views('x')]);
        await migrate(store.client, [first, views('y')]);
        await migrate(store.client, [first, views('y')]);
        const ledger = await query(
          store,
          sql`SELECT name, count() AS n FROM migrations GROUP BY name ORDER BY name`,
        );
        expect(ledger).toEqual([
          { name: '0001_first.sql', n: '1' },
          { name: '0002_views.sql', n: '2' },
        ]);
        expect(await query(store, sql`SELECT max(y) AS y FROM first_v`)).toEqual([{ y: 0 }]);
      });

      it('refuses a file that was changed after it was applied', async () => {
        const changed = { ...first, text: `${first.text} -- changed` };
        await expect(migrate(store.client, [changed, views('y')])).rejects.toThrow(
          new MigrationError(
            'the database was made by another build (0001_first.sql differs): use that build, or a new data directory or database',
          ),
        );
      });

      it('refuses a database of a newer version', async () => {
        await expect(migrate(store.client, [first])).rejects.toThrow(/newer version \(0002_views/);
      });
    });
  });
}
