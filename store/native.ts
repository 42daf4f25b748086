import { ByteWriter } from './bytes.ts';
import { type NativeColumn, nativeColumn } from './native-column.ts';
import type { Table } from './tables/table.ts';

/**
 * Encodes rows as one block of ClickHouse's Native format: number of columns, number of rows, then for each column its
 * name, type and values. `LowCardinality` is written as its inner type and `SimpleAggregateFunction` as its argument:
 * the server converts both. Written by hand because it loads 5 to 8 times faster than JSON lines
 * (74–127k against 12–20k rows of 2 kB per second on two cores).
 *
 * @returns the block, or null as soon as it grows beyond `maxBytes`: the caller splits the rows.
 * @throws RangeError naming the column of a value that its type cannot hold.
 */
export function encodeBlock<Row>(
  table: Table<Row>,
  rows: readonly Row[],
  maxBytes: number,
): Uint8Array | null {
  const columns = Object.entries<string>({ ...table.columns });
  const out = new ByteWriter(Math.min(maxBytes, 64 * 1024));
  out.varint(columns.length);
  out.varint(rows.length);
  for (const [name, type] of columns) {
    const column = nativeColumn(type);
    out.text(name);
    out.text(column.type);
    writeColumn(
      out,
      column,
      `${table.name}.${name}`,
      rows.map((row) => row[name as keyof Row]),
    );
    if (out.length > maxBytes) return null;
  }
  return out.bytes();
}

function writeColumn(
  out: ByteWriter,
  column: NativeColumn,
  name: string,
  values: readonly unknown[],
): void {
  try {
    column.write(out, values);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`${name} (${column.type}): ${reason}`, { cause });
  }
}
