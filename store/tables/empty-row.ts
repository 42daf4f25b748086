import type { Table } from './table.ts';

/** A row in which nothing is known: every column has the empty value of its type. */
export function emptyRow<Row>(table: Table<Row>): Row {
  const columns = Object.entries<string>(table.columns);
  return Object.fromEntries(columns.map(([name, type]) => [name, emptyValue(type)])) as Row;
}

function emptyValue(type: string): unknown {
  if (type.startsWith('Array(') || type.startsWith('Map(')) return [];
  if (type.startsWith('Nullable(')) return null;
  if (type.includes('String')) return '';
  return type === 'UInt64' || type.startsWith('DateTime64') ? 0n : 0;
}
