import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '../../store/connection.ts';
import { query, sql } from '../../store/sql.ts';
import { spans } from '../../store/tables/spans.ts';

export interface OnDisk {
  readonly spans: number;
  readonly bytes: number;
}

const columns = Object.keys(spans.columns)
  .map((name) => `\`${name}\``)
  .join(', ');
/** What one insert takes at most (DESIGN §4). */
const rowsPerFile = 20_000;
const files = 10;

/** Rows of the stored spans as Native files, as ingest would hand them to the engine, and what all tables take on disk. */
export async function exportRows(data: string, to: string): Promise<OnDisk> {
  const store = await openStore({ path: data });
  try {
    for (let i = 0; i < files; i += 1) {
      await store.client.command({
        query: `INSERT INTO FUNCTION file('${join(to, `${i}.native`)}', 'Native') SELECT ${columns} FROM spans
                ORDER BY inserted_at, trace_id, span_id LIMIT ${rowsPerFile} OFFSET ${i * rowsPerFile}
                SETTINGS max_block_size = ${rowsPerFile}, max_threads = 1`,
      });
    }
    return await onDisk(store);
  } finally {
    await store.close();
  }
}

async function onDisk(store: Store): Promise<OnDisk> {
  const [row] = await query<{ bytes: string }>(
    store,
    sql`SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase()`,
  );
  const [count] = await query<{ spans: string }>(store, sql`SELECT count() AS spans FROM spans`);
  return { spans: Number(count?.spans ?? 0), bytes: Number(row?.bytes ?? 0) };
}

/**
 * Rows per second that the engine itself takes: the same rows, the same table, the same settings and block sizes, from
 * Native files that are there already, one insert after the other, nothing else running.
 */
export async function engineLimit(from: string): Promise<number> {
  const data = mkdtempSync(join(from, 'limit-'));
  const store = await openStore({ path: data });
  try {
    const start = performance.now();
    for (let i = 0; i < files; i += 1) {
      const file = join(from, `${i}.native`);
      if (statSync(file).size === 0) break;
      await store.client.command({
        query: `INSERT INTO spans (${columns}) SELECT ${columns} FROM file('${file}', 'Native')
                SETTINGS async_insert = 0, max_insert_threads = 1, input_format_skip_unknown_fields = 0, optimize_on_insert = 0`,
      });
    }
    const seconds = (performance.now() - start) / 1000;
    const [row] = await query<{ n: string }>(store, sql`SELECT count() AS n FROM spans`);
    return Number(row?.n ?? 0) / seconds;
  } finally {
    await store.close();
    rmSync(data, { recursive: true, force: true });
  }
}
