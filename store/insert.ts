import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Store } from './connection.ts';
import { literal } from './literal.ts';
import { encodeBlock } from './native.ts';
import type { Table } from './tables/table.ts';

/** Bounds of one statement. */
const MAX_ROWS = 20_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Rows of one table as a block of ClickHouse's Native format. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/**
 * Writes rows durably (on disk when it resolves), in statements of at most 20,000 rows and 64 MB. Rows should come
 * sorted by partition day. With a `token` a repetition of the same rows inserts nothing; another token is needed as soon
 * as the rows differ in any way, because an insert's identity is the token and its place among the rows.
 *
 * @throws RangeError naming the column of a value that its type cannot hold, ClickHouseError from the engine.
 */
export async function insert<Row>(
  store: Store,
  table: Table<Row>,
  rows: readonly Row[],
  token?: string,
): Promise<void> {
  await insertBlocks(store, table, encode(table, rows), token);
}

/** {@link insert} of rows that are encoded already; several blocks go into one statement while they fit. */
export async function insertBlocks<Row>(
  store: Store,
  table: Table<Row>,
  blocks: Iterable<Block>,
  token?: string,
): Promise<void> {
  let first = 0;
  for (const some of statements(blocks)) {
    const last = first + rowsIn(some) - 1;
    const own = token === undefined ? undefined : `${token}:${first}-${last}`;
    await insertOnce(store, table, some, own);
    first = last + 1;
  }
}

/** Rows as blocks of at most 20,000 rows and 64 MB each; a single row may be larger. */
export function* encode<Row>(table: Table<Row>, rows: readonly Row[]): Generator<Block> {
  let first = 0;
  let size = MAX_ROWS;
  while (first < rows.length) {
    const slice = rows.slice(first, first + size);
    const bytes = encodeBlock(table, slice, slice.length === 1 ? Infinity : MAX_BYTES);
    if (bytes === null) {
      size = Math.ceil(slice.length / 2);
      continue;
    }
    yield { bytes, rows: slice.length };
    first += slice.length;
  }
}

/** Rows of one table that are written in one statement: kept as blocks, which take a tenth of the memory of rows. */
export interface Bulk<Row> {
  readonly rows: number;
  readonly bytes: number;
  /** @throws RangeError naming the column of a value that its type cannot hold. */
  add(rows: readonly Row[]): void;
  /** Empties the bulk, and gives what writes durably, as {@link insert} does, what was in it. */
  take(): () => Promise<void>;
}

/** Gathers rows for few large statements: an insert has its price, and so has every part that must be merged later. */
export function bulk<Row>(store: Store, table: Table<Row>): Bulk<Row> {
  let blocks: Block[] = [];
  let rows = 0;
  let bytes = 0;
  return {
    get rows() {
      return rows;
    },
    get bytes() {
      return bytes;
    },
    add(more) {
      for (const block of encode(table, more)) {
        blocks.push(block);
        bytes += block.bytes.length;
      }
      rows += more.length;
    },
    take() {
      const whole = blocks;
      blocks = [];
      rows = 0;
      bytes = 0;
      return async () => {
        if (whole.length > 0) await insertOnce(store, table, whole, undefined);
      };
    },
  };
}

function* statements(blocks: Iterable<Block>): Generator<readonly Block[]> {
  let open: Block[] = [];
  let bytes = 0;
  for (const block of blocks) {
    const isFull = rowsIn(open) + block.rows > MAX_ROWS || bytes + block.bytes.length > MAX_BYTES;
    if (isFull && open.length > 0) {
      yield open;
      open = [];
      bytes = 0;
    }
    open.push(block);
    bytes += block.bytes.length;
  }
  if (open.length > 0) yield open;
}

function rowsIn(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { rows }) => sum + rows, 0);
}

async function insertOnce<Row>(
  store: Store,
  table: Table<Row>,
  blocks: readonly Block[],
  token: string | undefined,
): Promise<void> {
  const columns = Object.keys(table.columns)
    .map((name) => `\`${name}\``)
    .join(', ');
  const target = `INSERT INTO ${table.name} (${columns})`;
  const bytes = blocks.map((block) => block.bytes);
  if (!store.embedded) {
    await send(store, `${target} SETTINGS ${settings(token)} FORMAT Native`, bytes);
    return;
  }
  const path = join(store.tmp, `${randomUUID()}.native`);
  try {
    await writeAll(path, bytes);
    const source = `SELECT ${columns} FROM file(${literal('String', path)}, 'Native')`;
    await store.client.command({ query: `${target} ${source} SETTINGS ${settings(token)}` });
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * In one call: `writeFile` of a list writes one buffer after the other, and waits for a busy event loop after each of
 * them, which took longer than the insert itself.
 */
async function writeAll(path: string, buffers: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx');
  try {
    const { bytesWritten } = await file.writev(buffers);
    const wanted = buffers.reduce((sum, { length }) => sum + length, 0);
    if (bytesWritten !== wanted) throw new Error(`${bytesWritten} of ${wanted} bytes written`);
  } finally {
    await file.close();
  }
}

async function send(store: Store, query: string, bytes: readonly Uint8Array[]): Promise<void> {
  const { stream } = await store.client.exec({ query, values: Readable.from(bytes) });
  // The answer is empty; reading it to its end gives the connection back.
  for await (const _ of stream);
}

/**
 * In the text, never as client settings: the embedded engine would keep those for later queries. That parts are
 * fsynced before an insert is answered is a setting of the tables.
 */
function settings(token: string | undefined): string {
  const list = [
    'async_insert = 0',
    'max_insert_threads = 1',
    // Rows of one identity are told apart at read, in one block as in several: merging them here took a third of the
    // engine's time and saved nothing.
    'optimize_on_insert = 0',
    'input_format_skip_unknown_fields = 0',
    // One batch may hold late spans of many days: any limit would refuse it for ever, and hold up all behind it.
    'max_partitions_per_insert_block = 0',
  ];
  if (token !== undefined) list.push(`insert_deduplication_token = ${literal('String', token)}`);
  return list.join(', ');
}
