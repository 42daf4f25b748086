import type { Attribute, OtlpEvent, Value } from '../otlp/model.ts';
import { boundedCache } from './bounded-cache.ts';
import type { CompiledSource, KeyPlan, Plan } from './compile.ts';
import type { Detected } from './conventions.ts';
import { at, coerce, type FieldValues, scalarFields } from './fields.ts';
import { noTaskId, type OwnTaskId, ownTaskId, type TaskIdCandidate } from './ids.ts';
import { compileKinds, type KindInput } from './kind.ts';
import { asText, type Json, jsonOf, parseJson } from './values.ts';

/** A piece of content as found: one attribute, or a whole span event. */
export interface Piece {
  readonly source: CompiledSource;
  readonly key: string;
  readonly value: Value;
  readonly event: OtlpEvent | null;
}

/** What the mapping makes of one span's or log's attributes. */
export interface Resolved {
  readonly values: FieldValues;
  readonly detected: Detected;
  readonly kind: string;
  readonly task: OwnTaskId;
  /** Content candidates by field, then by the mapping's order. */
  readonly content: readonly Piece[];
  /** The plan of each attribute, by position. */
  readonly plans: readonly KeyPlan[];
}

/** What all items of a batch share. */
export interface BatchContext {
  readonly scope: string;
  readonly detected: Detected;
  readonly values: FieldValues;
}

/** One item to resolve; a log has no end and no events. */
export interface Item {
  readonly name: string;
  readonly root: boolean;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: readonly Attribute[];
  readonly events: readonly OtlpEvent[];
  readonly at: 'span' | 'log';
}

/** Reads items by a compiled plan. */
export interface Resolver {
  batch(scope: string, resource: readonly Attribute[]): BatchContext;
  item(item: Item, batch: BatchContext): Resolved;
}

/** Told how an item was read: for people who ask, and absent from the hot path. */
export interface Listener {
  /** The rule that gave the kind. */
  kind(by: string): void;
  /** This piece gave its field this value. `place` is where the piece is. */
  used(piece: Piece, value: Json, place: 'item' | 'resource'): void;
  /** The span's name gave the field this value. */
  fromName(field: number, value: string): void;
}

interface Engine {
  readonly plan: Plan;
  readonly listener: Listener | undefined;
  readonly kindOf: (input: KindInput) => string;
  readonly conventionsOfName: (name: string) => readonly number[];
  readonly meaningless: (value: Json | undefined) => boolean;
  readonly parse: (text: string) => Json | undefined;
  /** For each field whether the item in hand filled it itself; one for all items, which come one after the other. */
  readonly filled: Uint8Array;
}

const byOrder = (a: Piece, b: Piece) => a.source.order - b.source.order;

function eligible(source: CompiledSource, detected: Detected, kind: string): boolean {
  if (source.scoped && detected[source.convention] !== 1) return false;
  if (source.kinds !== null && !source.kinds.has(kind)) return false;
  return source.unless.length === 0 || !source.unless.some((rank) => detected[rank] === 1);
}

/** What the attributes of span events, or the events themselves, may fill. */
export function eventPieces(plan: Plan, events: readonly OtlpEvent[], into: Piece[]): void {
  for (const event of events) {
    const byKey = plan.event(event.name);
    if (byKey.size === 0) continue;
    for (const whole of ['', '*']) {
      for (const source of byKey.get(whole) ?? []) {
        into.push({ source, key: '', value: event.name, event });
      }
    }
    for (const { key, value } of event.attributes) {
      for (const source of byKey.get(key) ?? []) into.push({ source, key, value, event });
    }
  }
}

/** Text that says nothing: empty, a printed null, or put there by a redaction. */
function meaninglessness(plan: Plan): (value: Json | undefined) => boolean {
  const { redaction_sentinels, null_texts, redaction_prefixes } = plan.mapping;
  const texts = new Set([...redaction_sentinels, ...null_texts, '', '{}', '[]']);
  // Looking a text up hashes all of it.
  const longest = Math.max(...[...texts].map((text) => text.length));
  return (value) => {
    if (value === undefined || value === null) return true;
    if (typeof value !== 'string') return false;
    return (
      (value.length <= longest && texts.has(value)) ||
      redaction_prefixes.some((prefix) => value.startsWith(prefix))
    );
  };
}

/** `JSON.parse` of the last text once: one big JSON attribute feeds many fields. */
function rememberingParse(): (text: string) => Json | undefined {
  let last = '';
  let data: Json | undefined;
  return (text) => {
    if (text !== last) {
      data = parseJson(text);
      last = text;
    }
    return data;
  };
}

/** The value a piece gives its field, undefined when it says nothing. */
function read(engine: Engine, piece: Piece, item: Item, scope: string): Json | undefined {
  const { transform, type } = piece.source;
  const raw: Json = jsonOf(piece.value);
  if (engine.meaningless(raw)) return undefined;
  if (transform === null) return settle(engine, raw, type);
  const { start, end, attributes } = item;
  const { parse } = engine;
  try {
    const eventTime = piece.event?.time ?? 0n;
    const value = transform(raw, { start, end, eventTime, scope, attributes, parse });
    return value === undefined ? undefined : settle(engine, value, type);
  } catch (error) {
    // Hostile nesting overflows the stack: the attribute stays raw, the span survives.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function settle(engine: Engine, value: Json, type: string): Json | undefined {
  const settled = coerce(value, type);
  return engine.meaningless(settled) ? undefined : settled;
}

function fillFromName(
  { plan, listener }: Engine,
  name: string,
  kind: string,
  detected: Detected,
  values: FieldValues,
): void {
  for (const source of plan.names) {
    if (source.rank !== null && detected[source.rank] !== 1) continue;
    if (source.kinds?.has(kind) === false || values[source.field] !== undefined) continue;
    const value = source.regex.exec(name)?.[1]?.trim();
    if (value === undefined || value === '') continue;
    values[source.field] = value;
    listener?.fromName(source.field, value);
  }
}

/** One pass over the attributes: conventions, traits, and what may fill a field, in the mapping's order. */
function gather({ plan, conventionsOfName }: Engine, item: Item, batch: BatchContext) {
  const detected = batch.detected.slice();
  const plans: KeyPlan[] = [];
  const pieces: Piece[] = [];
  const planOf = item.at === 'span' ? plan.span : plan.log;
  let traits = 0;
  for (const { key, value } of item.attributes) {
    const known = planOf(key);
    plans.push(known);
    traits |= known.traits;
    for (const rank of known.conventions) detected[rank] = 1;
    for (const rule of known.equals) if (rule.value === value) detected[rule.rank] = 1;
    for (const source of known.sources) pieces.push({ source, key, value, event: null });
  }
  for (const rank of conventionsOfName(item.name)) detected[rank] = 1;
  if (item.events.length > 0) eventPieces(plan, item.events, pieces);
  pieces.sort(byOrder);
  return { detected, plans, pieces, traits };
}

function resolveItem(engine: Engine, item: Item, batch: BatchContext): Resolved {
  const { detected, plans, pieces, traits } = gather(engine, item, batch);
  const stated: { source: CompiledSource; text: string }[] = [];
  let next = 0;
  // Sources of the kind sort first: other sources may depend on it.
  for (; pieces[next]?.source.field === at.span_kind; next++) {
    const piece = pieces[next];
    if (piece === undefined || !eligible(piece.source, detected, '')) continue;
    const text = asText(read(engine, piece, item, batch.scope));
    if (text === undefined) continue;
    stated.push({ source: piece.source, text });
    engine.listener?.used(piece, text, 'item');
  }
  const { name, root, attributes } = item;
  const kind = engine.kindOf({ name, root, detected, traits, attributes, stated });

  const filled = engine.filled.fill(0);
  const values = batch.values.slice();
  const content: Piece[] = [];
  const tasks: TaskIdCandidate[] = [];
  for (; next < pieces.length; next++) {
    const piece = pieces[next];
    if (piece === undefined) continue;
    const { source } = piece;
    if (filled[source.field] === 1 || !eligible(source, detected, kind)) continue;
    if (source.field >= scalarFields.length) {
      content.push(piece);
      continue;
    }
    const value = read(engine, piece, item, batch.scope);
    if (value === undefined) continue;
    engine.listener?.used(piece, value, 'item');
    if (source.field === at.task_id) {
      const declared = source.declared && !source.runIf.some((rank) => detected[rank] === 1);
      tasks.push({ id: asText(value) ?? '', declared });
    } else {
      filled[source.field] = 1;
      values[source.field] = value;
    }
  }
  fillFromName(engine, item.name, kind, detected, values);
  const task = tasks.length === 0 ? noTaskId : ownTaskId(tasks);
  return { values, detected, kind, task, content, plans };
}

function resolveBatch(engine: Engine, scope: string, resource: readonly Attribute[]): BatchContext {
  const { plan } = engine;
  const detected = plan.conventions.ofBatch(scope, resource);
  // Of full length: an array that grows to a field far behind is copied at every step.
  const values: FieldValues = Array.from(scalarFields, () => undefined);
  const item: Item = { ...emptyItem, attributes: resource };
  const pieces = resource.flatMap(({ key, value }) =>
    plan.resource(key).sources.map((source) => ({ source, key, value, event: null })),
  );
  for (const piece of pieces.sort(byOrder)) {
    const { source } = piece;
    if (values[source.field] !== undefined || !eligible(source, detected, '')) continue;
    const value = read(engine, piece, item, scope);
    if (value === undefined) continue;
    values[source.field] = value;
    engine.listener?.used(piece, value, 'resource');
  }
  return { scope, detected, values };
}

const emptyItem: Item = {
  name: '',
  root: false,
  start: 0n,
  end: 0n,
  attributes: [],
  events: [],
  at: 'span',
};

/**
 * Turns a plan into a resolver: one look-up per attribute, then the candidates in the mapping's order. An item's own
 * values go before those of its resource.
 */
export function createResolver(plan: Plan, listener?: Listener): Resolver {
  const engine: Engine = {
    plan,
    listener,
    kindOf: compileKinds(plan, listener?.kind),
    conventionsOfName: boundedCache(plan.conventions.ofName),
    meaningless: meaninglessness(plan),
    parse: rememberingParse(),
    filled: new Uint8Array(scalarFields.length),
  };
  return {
    batch: (scope, resource) => resolveBatch(engine, scope, resource),
    item: (item, batch) => resolveItem(engine, item, batch),
  };
}
