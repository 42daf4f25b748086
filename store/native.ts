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
  const columns = columnsOf(table);
  const out = new ByteWriter(
    Math.min(maxBytes, 64 * 1024 + rows.length * (rowBytes.get(table) ?? 0)),
  );
  out.varint(columns.length);
  out.varint(rows.length);
  const values: unknown[] = new Array(rows.length);
  for (const { name, column, gather } of columns) {
    out.text(name);
    out.text(column.type);
    gather(rows, values);
    writeColumn(out, column, `${table.name}.${name}`, values);
    if (out.length > maxBytes) return null;
  }
  if (rows.length > 0) rowBytes.set(table, Math.ceil((out.length / rows.length) * 1.1));
  return out.bytes();
}

interface Column {
  readonly name: string;
  readonly column: NativeColumn;
  /** Copies the column's value of each row. */
  readonly gather: Gather;
}

type Gather = (rows: readonly unknown[], into: unknown[]) => void;

/**
 * One function per column, compiled from text: all columns read by one function are a megamorphic load each, a third of
 * what encoding took.
 */
function gathering(name: string): Gather {
  const key = JSON.stringify(name);
  return new Function(
    'rows',
    'into',
    `for (let i = 0; i < rows.length; i += 1) into[i] = rows[i][${key}];`,
  ) as Gather;
}

const compiled = new WeakMap<object, readonly Column[]>();
/** Of the last block of each table: a buffer of the right size is not copied while it grows. */
const rowBytes = new WeakMap<object, number>();

function columnsOf<Row>(table: Table<Row>): readonly Column[] {
  const known = compiled.get(table);
  if (known !== undefined) return known;
  const columns = Object.entries<string>({ ...table.columns }).map(([name, type]) => ({
    name,
    column: nativeColumn(type),
    gather: gathering(name),
  }));
  compiled.set(table, columns);
  return columns;
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
