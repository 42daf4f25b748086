import { type SpanRow, spans } from '../../store/tables/spans.ts';

/** What identifies a span, what OTLP carried of it, and what says by which mapping it was read. */
const carried: ReadonlySet<string> = new Set<keyof SpanRow>([
  'project',
  'trace_id',
  'span_id',
  'parent_id',
  'start',
  'end',
  'ver',
  'mapping_version',
  'name',
  'span_kind',
  'status',
  'status_message',
  'trace_state',
  'flags',
  'scope_name',
  'scope_version',
  'resource',
  'attributes',
  'attribute_types',
  'payload',
  'events.time',
  'events.name',
  'events.attributes',
  'links.trace_id',
  'links.span_id',
  'links.attributes',
]);

/** The columns that a mapping decides. */
export const mapped = (Object.keys(spans.columns) as (keyof SpanRow)[]).filter(
  (name) => !carried.has(name),
);

/** Columns as the store answers them: 64-bit integers as text. */
export type Stored = { readonly [K in keyof SpanRow]?: readonly unknown[] };

/** Whether the mapping reads the span otherwise than what made the `i`-th of the stored rows. */
export function isChanged(row: SpanRow, stored: Stored, i: number): boolean {
  return mapped.some((name) => !isSame(row[name], stored[name]?.[i]));
}

function isSame(made: unknown, stored: unknown): boolean {
  if (typeof made === 'bigint') return String(made) === stored;
  if (!Array.isArray(made)) return made === stored;
  return (
    Array.isArray(stored) &&
    made.length === stored.length &&
    made.every((one, i) => isSame(one, stored[i]))
  );
}
