import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';

/** The schema in the database and the schema in this build do not fit together. One line for a user. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/** A file of `store/schema/`: `0001_tables.sql`. */
export interface Migration {
  readonly name: string;
  readonly text: string;
}

const LEDGER = `CREATE TABLE IF NOT EXISTS migrations
(
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY name`;

/**
 * Applies the migrations not applied yet, in order of their names. Forward only. A file `*_views.sql` holds views
 * alone: it comes after all others, again whenever it or a table changes; any other file must never change once applied. ClickHouse has
 * no transactional DDL: every statement must be repeatable (`IF NOT EXISTS`, `OR REPLACE`), because a killed process
 * starts its unfinished file again.
 *
 * @throws MigrationError when an applied file was changed, or the database was written by a newer build.
 */
export async function migrate(
  client: ClickHouseClient,
  migrations?: readonly Migration[],
): Promise<void> {
  const files = migrations ?? (await readMigrations());
  await client.command({ query: LEDGER });
  const applied = await readLedger(client);
  refuseUnknown(applied, files);
  const apply = async ({ name, text, checksum }: Checked) => {
    for (const statement of statements(text)) await client.command({ query: statement });
    if (applied.get(name) === checksum) return;
    await client.command({
      query: 'INSERT INTO migrations (name, checksum) SELECT {name:String}, {checksum:String}',
      query_params: { name, checksum },
    });
  };
  const checked = files.map(withChecksum);
  const tables = checked.filter(({ name }) => !isViews(name));
  const missing = tables.filter(({ name, checksum }) => applied.get(name) !== checksum);
  for (const { name } of missing) {
    if (applied.has(name)) {
      throw new MigrationError(
        `the database was made by another build (${name} differs): use that build, or a new data directory or database`,
      );
    }
  }
  for (const file of missing) await apply(file);
  for (const file of checked.filter(({ name }) => isViews(name))) {
    // A view keeps the columns that its table had when it was made.
    if (missing.length > 0 || applied.get(file.name) !== file.checksum) await apply(file);
  }
}

interface Checked extends Migration {
  readonly checksum: string;
}

function withChecksum({ name, text }: Migration): Checked {
  return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
}

function isViews(name: string): boolean {
  return name.endsWith('_views.sql');
}

async function readMigrations(): Promise<Migration[]> {
  const folder = new URL('./schema/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), 'utf8') })),
  );
}

async function readLedger(client: ClickHouseClient): Promise<Map<string, string>> {
  const result = await client.query({
    query: 'SELECT name, checksum FROM migrations FINAL',
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ name: string; checksum: string }>();
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function refuseUnknown(applied: ReadonlyMap<string, string>, files: readonly Migration[]): void {
  const known = new Set(files.map((file) => file.name));
  const unknown = [...applied.keys()].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new MigrationError(
    `the database was written by a newer version (${unknown.sort().join(', ')} is not known here)`,
  );
}

// Quoted text (with '' and \' inside), quoted names, comments; anything else is skipped up to the next of these.
const TOKEN =
  /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|--[^\n]*|\/\*[\s\S]*?\*\/|;/g;

/** Splits a script at its semicolons, not at those inside quotes and comments. Empty statements are left out. */
export function statements(script: string): string[] {
  const found: string[] = [];
  let from = 0;
  let code = false;
  const seen = (end: number, start: number) => {
    code ||= script.slice(start, end).trim() !== '';
  };
  let last = 0;
  for (const match of script.matchAll(TOKEN)) {
    seen(match.index, last);
    last = match.index + match[0].length;
    if (match[0] === ';') {
      if (code) found.push(script.slice(from, match.index).trim());
      from = last;
      code = false;
    } else if (!match[0].startsWith('--') && !match[0].startsWith('/*')) code = true;
  }
  seen(script.length, last);
  if (code) found.push(script.slice(from).trim());
  return found;
}
