import { boundedCache } from './bounded-cache.ts';
import { type Conventions, compileConventions } from './conventions.ts';
import { contentFields, payloadOnlyFields, scalarFields } from './fields.ts';
import type { Mapping, Source } from './mapping.ts';
import { compileTransform, splitSpec, type Transform } from './transforms.ts';

/** One source of one field, ready to run. */
export interface CompiledSource {
  /** Position of the field: scalars first, then content fields. */
  readonly field: number;
  /** Field and place among its sources in one number: candidates sort by it. */
  readonly order: number;
  readonly type: string;
  readonly convention: number;
  readonly scoped: boolean;
  readonly declared: boolean;
  readonly kinds: ReadonlySet<string> | null;
  readonly unless: readonly number[];
  readonly runIf: readonly number[];
  readonly transform: Transform | null;
  /** Content only: how the pieces become messages, parts, tools or text, as written in the mapping. */
  readonly parser: string;
  /** Attribute keys that this source reads, for rules that look a kind up by attribute. */
  readonly key: string;
}

/** All there is to know about an attribute key, found once per key. */
export interface KeyPlan {
  readonly conventions: readonly number[];
  readonly equals: readonly { readonly value: string; readonly rank: number }[];
  readonly sources: readonly CompiledSource[];
  /** The value is content whatever its size. */
  readonly content: boolean;
  /** Its JSON array holds messages or tools, which repeat from call to call. */
  readonly split: boolean;
  /** Bits of {@link trait}. */
  readonly traits: number;
}

/** What an attribute's presence says about a span whose kind nothing states. */
export const trait = { model: 1, usage: 2, messages: 4, tool: 8, db: 16, http: 32 } as const;

/** A pattern for the span's name that fills a field. */
export interface NameSource {
  readonly field: number;
  readonly regex: RegExp;
  readonly kinds: ReadonlySet<string> | null;
  /** The convention that must have been detected; null for any span. */
  readonly rank: number | null;
}

/** A mapping compiled to lookups. */
export interface Plan {
  readonly mapping: Mapping;
  readonly conventions: Conventions;
  readonly span: (key: string) => KeyPlan;
  readonly log: (key: string) => KeyPlan;
  readonly resource: (key: string) => KeyPlan;
  /** Sources on events of this name; the key of a source is the event's attribute, `` or `*` for the event itself. */
  readonly event: (name: string) => ReadonlyMap<string, readonly CompiledSource[]>;
  readonly names: readonly NameSource[];
}

type Place = 'span' | 'log' | 'resource' | 'event';

interface Placed {
  readonly source: Source;
  readonly keys: readonly string[];
  readonly places: ReadonlySet<string>;
  readonly compiled: CompiledSource;
}

const wanted: readonly string[] = [...scalarFields, ...contentFields];

const lists: ReadonlySet<string> = new Set([
  'input_messages',
  'output_messages',
  'tool_definitions',
]);

function places(source: Source): ReadonlySet<string> {
  return new Set(source.at ?? ['span', 'log']);
}

/** Scalars become a function; of a content source only the last step names a parser. */
function chainOf(spec: string, content: boolean): { head: string; parser: string } {
  if (spec.endsWith('map_kind') || spec.endsWith('map_operation')) {
    return { head: splitSpec(spec).slice(0, -1).join('>'), parser: '' };
  }
  if (!content) return { head: spec, parser: '' };
  // Tool arguments and results are kept as the text they came as.
  if (spec === 'json' || spec === 'json_or_string') return { head: '', parser: '' };
  const chain = splitSpec(spec);
  const last = chain.at(-1) ?? '';
  return /^(parse|fold|slice|pydantic)_/.test(last)
    ? { head: chain.slice(0, -1).join('>'), parser: last }
    : { head: spec, parser: '' };
}

function compileSource(
  name: string,
  index: number,
  source: Source,
  mapping: Mapping,
  conventions: Conventions,
): CompiledSource {
  const field = wanted.indexOf(name);
  const { head, parser } = chainOf(source.transform ?? '', field >= scalarFields.length);
  return {
    field,
    order: field * 1000 + index,
    type: mapping.fields[name]?.type ?? 'string',
    convention: conventions.rankOf(source.convention),
    scoped: source.scoped ?? false,
    declared: source.declared ?? false,
    kinds: source.kinds === undefined ? null : new Set(source.kinds),
    unless: (source.unless ?? []).map(conventions.rankOf),
    runIf: (source.run_if ?? []).map(conventions.rankOf),
    transform: head === '' ? null : transformOf(name, source, head, mapping),
    parser,
    key: source.attribute ?? '',
  };
}

function transformOf(field: string, { attribute = '' }: Source, spec: string, mapping: Mapping) {
  try {
    return compileTransform(spec, mapping);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${message}\n  → at fields.${field}, attribute ${attribute}`, { cause });
  }
}

/** `llm.tools.{i}.x` and `a.*` match by prefix; after an index prefix comes a digit. */
function patternOf(key: string): { prefix: string; indexed: boolean } | null {
  const index = key.indexOf('{i}');
  if (index >= 0) return { prefix: key.slice(0, index), indexed: true };
  return key.endsWith('*') && key !== '*' ? { prefix: key.slice(0, -1), indexed: false } : null;
}

/** True where the key is the pattern's. */
function matches(pattern: { prefix: string; indexed: boolean }, key: string): boolean {
  if (!key.startsWith(pattern.prefix)) return false;
  return !pattern.indexed || /^\d{1,6}(\.|$)/.test(key.slice(pattern.prefix.length));
}

function traitsOf(name: string, source: Source): number {
  if (source.scoped === true) return 0;
  if (name === 'request_model' || name === 'response_model') return trait.model;
  if (name === 'input_tokens' || name === 'output_tokens') return trait.usage;
  return name === 'input_messages' || name === 'output_messages' ? trait.messages : 0;
}

const presence: Readonly<Record<string, number>> = {
  'gen_ai.tool.name': trait.tool,
  'gen_ai.tool.call.id': trait.tool,
  'db.system': trait.db,
  'db.system.name': trait.db,
  'http.request.method': trait.http,
  'http.method': trait.http,
};

/** Index parts that name things; only the others of an indexed message are content. */
const structural = /\.(role|id|name|type|finish_reason|tool_call_id)$/;

interface Rules {
  readonly exact: ReadonlyMap<string, readonly Rule[]>;
  readonly patterns: readonly (Rule & { readonly prefix: string; readonly indexed: boolean })[];
}

interface Rule {
  readonly compiled: CompiledSource | null;
  readonly content: boolean;
  readonly traits: number;
}

function placeRules(place: Place, mapping: Mapping, compiled: readonly Placed[]): Rules {
  const exact = new Map<string, Rule[]>();
  const patterns: (Rule & { prefix: string; indexed: boolean })[] = [];
  const put = (key: string, rule: Rule) => {
    const pattern = patternOf(key);
    if (pattern === null) exact.set(key, [...(exact.get(key) ?? []), rule]);
    else patterns.push({ ...rule, ...pattern });
  };
  for (const { source, keys, places: at, compiled: c } of compiled) {
    if (!at.has(place)) continue;
    const name = wanted[c.field] ?? '';
    const content = c.field >= scalarFields.length && !c.scoped;
    for (const key of keys) put(key, { compiled: c, content, traits: traitsOf(name, source) });
  }
  for (const name of payloadOnlyFields) {
    for (const source of mapping.fields[name]?.sources ?? []) {
      if (source.scoped === true || !places(source).has(place)) continue;
      const key = source.attribute ?? '';
      if (key !== '') put(key, { compiled: null, content: true, traits: 0 });
    }
  }
  return { exact, patterns };
}

/** Sources of one indexed group (its name, its text, …) feed one value: only the first of them stands for it. */
function firstOfGroup(sources: readonly CompiledSource[]): readonly CompiledSource[] {
  const seen = new Set<string>();
  return sources.filter((source) => {
    const pattern = patternOf(source.key);
    if (pattern === null) return true;
    const group = `${source.field} ${pattern.prefix} ${source.parser}`;
    return !seen.has(group) && seen.add(group).size > 0;
  });
}

function planKey(key: string, rules: Rules, conventions: Conventions): KeyPlan {
  const exact = rules.exact.get(key) ?? [];
  const matched = rules.patterns.filter((pattern) => matches(pattern, key));
  const all: readonly Rule[] = [...exact, ...matched];
  const indexed = matched.some((rule) => rule.indexed);
  const sources = all.flatMap((rule) => (rule.compiled === null ? [] : [rule.compiled]));
  return {
    conventions: conventions.ofKey(key),
    equals: conventions.ofValue(key),
    sources: firstOfGroup(sources.toSorted((a, b) => a.order - b.order)),
    content: all.some((rule) => rule.content) && !(indexed && structural.test(key)),
    split: sources.some((source) => lists.has(wanted[source.field] ?? '')),
    traits: all.reduce((bits, rule) => bits | rule.traits, presence[key] ?? 0),
  };
}

function planEvent(
  name: string,
  compiled: readonly Placed[],
): ReadonlyMap<string, CompiledSource[]> {
  const byKey = new Map<string, CompiledSource[]>();
  for (const { source, keys, places: at, compiled: c } of compiled) {
    if (!at.has('event') || (source.event !== undefined && !eventMatches(source.event, name))) {
      continue;
    }
    for (const key of keys) byKey.set(key, [...(byKey.get(key) ?? []), c]);
  }
  return byKey;
}

/** An event's name, or a pattern with one `{a,b}` alternation. */
function eventMatches(pattern: string, name: string): boolean {
  const [, head, middle = '', tail = ''] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(pattern) ?? [];
  if (head === undefined) return pattern === name;
  return middle.split(',').some((option) => `${head}${option}${tail}` === name);
}

/**
 * Compiles a mapping: every attribute key is resolved once to all it can mean, so that a span costs one look-up per
 * attribute whatever the number of sources. Throws an Error naming an unknown convention or transform.
 */
export function compile(mapping: Mapping): Plan {
  const conventions = compileConventions(mapping);
  const placed: Placed[] = [];
  const names: NameSource[] = [];
  wanted.forEach((name, field) => {
    (mapping.fields[name]?.sources ?? []).forEach((source, index) => {
      const kinds = source.kinds === undefined ? null : new Set(source.kinds);
      if (source.name !== undefined) {
        const rank = source.scoped === true ? conventions.rankOf(source.convention) : null;
        names.push({ field, regex: new RegExp(source.name), kinds, rank });
      }
      if (source.attribute === undefined) return;
      const compiled = compileSource(name, index, source, mapping, conventions);
      const keys = source.attribute.split(' + ');
      placed.push({ source, keys, places: places(source), compiled });
    });
  });
  const planner = (place: Place) => {
    const rules = placeRules(place, mapping, placed);
    return boundedCache((key: string) => planKey(key, rules, conventions));
  };
  return {
    mapping,
    conventions,
    span: planner('span'),
    log: planner('log'),
    resource: planner('resource'),
    event: boundedCache((name: string) => planEvent(name, placed)),
    names,
  };
}
