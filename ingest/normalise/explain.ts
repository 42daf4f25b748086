import xxhash from 'xxhash-wasm';
import type { Attribute, Batch, OtlpLog, OtlpSpan } from '../otlp/model.ts';
import { createBlobs } from './blobs.ts';
import { compile, type KeyPlan, type Plan } from './compile.ts';
import { createContentReader } from './content.ts';
import { contentFields, scalarFields } from './fields.ts';
import { readLogContent } from './log-content.ts';
import { eventNameOf, timeOf } from './log-row.ts';
import type { Mapping } from './mapping.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';
import { createResolver, type Item, type Listener, type Piece, type Resolver } from './resolve.ts';
import { asText, clampNanos, type Json, textOf } from './values.ts';

/** Where a field's value came from. */
export interface FieldSource {
  readonly field: string;
  /** As text, as the field keeps it; of content its beginning as sent. */
  readonly value: string;
  readonly from: 'attribute' | 'event' | 'resource' | 'name' | 'rule';
  /** Attribute key; the event's name and attribute; for a rule what it concluded from. */
  readonly key: string;
  /** The convention whose rule this is, '' for a rule of no convention. */
  readonly convention: string;
}

/** An attribute that gave no field its value. */
export interface RawAttribute {
  readonly key: string;
  /** Fields that it could have given, had another source not come first or a condition of the rule been met. */
  readonly could: readonly string[];
}

/** How one span or log record was read. */
export interface Explanation {
  readonly item: 'span' | 'log';
  readonly trace_id: string;
  readonly span_id: string;
  readonly name: string;
  readonly scope: string;
  readonly kind: string;
  readonly kind_by: string;
  readonly conventions: readonly string[];
  readonly fields: readonly FieldSource[];
  readonly raw: readonly RawAttribute[];
}

/** Says how items are read by a mapping. */
export interface Explainer {
  spans(batches: readonly Batch<OtlpSpan>[]): Explanation[];
  logs(batches: readonly Batch<OtlpLog>[]): Explanation[];
}

const names: readonly string[] = [...scalarFields, ...contentFields];

interface Notes {
  readonly plan: Plan;
  kindBy: string;
  fields: FieldSource[];
  used: Set<string>;
}

function noteOf({ plan }: Notes, piece: Piece, text: string, place: 'item' | 'resource') {
  const { source, key, event } = piece;
  const inEvent = event !== null;
  return {
    field: names[source.field] ?? '',
    value: text,
    from: inEvent ? ('event' as const) : place === 'item' ? ('attribute' as const) : place,
    key: inEvent ? [event.name, key].filter((part) => part !== '').join(' ') : key,
    convention: plan.conventions.ranked[source.convention]?.convention.id ?? '',
  };
}

function listen(notes: Notes): Listener {
  const used = (piece: Piece, value: Json, place: 'item' | 'resource') => {
    notes.fields.push(noteOf(notes, piece, asText(value) ?? '', place));
    if (piece.event === null && place === 'item') notes.used.add(piece.key);
  };
  return {
    used,
    kind: (by) => {
      notes.kindBy = by;
    },
    fromName: (field, value) => {
      notes.fields.push({
        field: names[field] ?? '',
        value,
        from: 'name',
        key: '',
        convention: '',
      });
    },
  };
}

/** The fields of a batch's resource that no field of the item itself stands before. */
function withResource(own: readonly FieldSource[], shared: readonly FieldSource[]): FieldSource[] {
  const stated = new Set(own.map(({ field }) => field));
  return [...own, ...shared.filter(({ field }) => !stated.has(field))];
}

function rawOf(attributes: readonly Attribute[], plans: readonly KeyPlan[], used: Set<string>) {
  return attributes.flatMap(({ key }, i): RawAttribute[] => {
    if (used.has(key)) return [];
    const could = new Set(plans[i]?.sources.map(({ field }) => names[field] ?? ''));
    return [{ key, could: [...could] }];
  });
}

type ReadContent = ReturnType<typeof createContentReader>;

interface Reading {
  readonly notes: Notes;
  readonly resolver: Resolver;
  readonly readContent: ReadContent;
  readonly hash: (text: string) => bigint;
}

function explainItem(
  { notes, resolver, readContent, hash }: Reading,
  item: Item,
  traceId: string,
  batch: Batch<unknown>,
) {
  notes.fields = [];
  const context = resolver.batch(batch.scope.name, batch.resource);
  const shared = notes.fields;
  notes.fields = [];
  notes.used = new Set();
  const resolved = resolver.item(item, context);
  const payload = createBlobs('', hash).at(traceId, item.start);
  readContent(resolved.content, item.attributes, payload);
  const { ranked } = notes.plan.conventions;
  return {
    name: item.name,
    scope: batch.scope.name,
    kind: resolved.kind,
    kind_by: notes.kindBy,
    conventions: ranked.filter((c) => resolved.detected[c.rank]).map((c) => c.convention.id),
    fields: withResource(notes.fields, shared),
    raw: rawOf(item.attributes, resolved.plans, notes.used),
  };
}

/** What rules add that no attribute states: a provider known by its model, a framework known by its convention. */
function concluded(
  normaliser: Normaliser,
  batch: Batch<OtlpSpan>,
  span: OtlpSpan,
  fields: readonly FieldSource[],
): FieldSource[] {
  const [row] = normaliser.normaliseSpans('', [{ ...batch, items: [span] }]).spans;
  if (row === undefined) return [];
  const rules = [
    { field: 'provider', value: row.provider, key: 'the name of the model' },
    { field: 'framework', value: row.framework, key: 'the convention or the scope' },
  ];
  const stated = new Set(fields.map(({ field }) => field));
  return rules
    .filter(({ field, value }) => value !== '' && !stated.has(field))
    .map((rule) => ({ ...rule, from: 'rule', convention: '' }));
}

/** Compiles a mapping into an explainer. Throws where the mapping names an unknown convention or transform. */
export async function createExplainer(mapping: Mapping): Promise<Explainer> {
  const { h64 } = await xxhash();
  const plan = compile(mapping);
  const normaliser = await createNormaliser(mapping);
  const notes: Notes = { plan, kindBy: '', fields: [], used: new Set() };
  const onUsed = (pieces: readonly Piece[]) => {
    const [head] = pieces;
    if (head === undefined) return;
    // Of an event as a whole, its name stands for what it says.
    const whole = head.event !== null && head.key === '' ? head.event.attributes : null;
    const text = (whole ?? pieces).map(({ value }) => textOf(value)).join(' ');
    notes.fields.push(noteOf(notes, head, text, 'item'));
    for (const piece of pieces) if (piece.event === null) notes.used.add(piece.key);
  };
  const reading: Reading = {
    notes,
    resolver: createResolver(plan, listen(notes)),
    readContent: createContentReader(plan, onUsed),
    hash: (text) => h64(text),
  };
  const spanOf = (batch: Batch<OtlpSpan>, span: OtlpSpan): Explanation => {
    const { name, attributes, events, traceId, spanId } = span;
    const [start, end] = [clampNanos(span.start), clampNanos(span.end)];
    const item = { name, root: span.parentSpanId === '', start, end, attributes, events };
    const said = explainItem(reading, { ...item, at: 'span' }, traceId, batch);
    const fields = [...said.fields, ...concluded(normaliser, batch, span, said.fields)];
    return { item: 'span', trace_id: traceId, span_id: spanId, ...said, fields };
  };
  const logOf = (batch: Batch<OtlpLog>, log: OtlpLog): Explanation => {
    const { attributes, traceId, spanId } = log;
    const item = { name: eventNameOf(log), root: false, start: timeOf(log), end: 0n, attributes };
    const said = explainItem(reading, { ...item, events: [], at: 'log' }, traceId, batch);
    notes.fields = [];
    readLogContent(plan, log, item.name, reading.readContent, () =>
      createBlobs('', reading.hash).at(traceId, item.start),
    );
    const fields = [...said.fields, ...notes.fields];
    return { item: 'log', trace_id: traceId, span_id: spanId, ...said, fields };
  };
  return {
    spans: (batches) => batches.flatMap((b) => b.items.map((span) => spanOf(b, span))),
    logs: (batches) => batches.flatMap((b) => b.items.map((log) => logOf(b, log))),
  };
}
