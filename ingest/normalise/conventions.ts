import type { Attribute } from '../otlp/model.ts';
import type { Convention, Mapping } from './mapping.ts';
import { textOf } from './values.ts';

/** A convention with its position: lower is asked first. */
export interface RankedConvention {
  readonly rank: number;
  readonly convention: Convention;
}

/** Which conventions are present: one flag per rank. */
export type Detected = Uint8Array;

/** The conventions of a mapping, by rank, and the tests that find them. */
export interface Conventions {
  readonly ranked: readonly RankedConvention[];
  readonly rankOf: (id: string) => number;
  /** Found by the batch: its scope and resource. Also regexes run here only, once per batch. */
  readonly ofBatch: (scope: string, resource: readonly Attribute[]) => Detected;
  /** Found by a span's name or an event's name. */
  readonly ofName: (name: string) => readonly number[];
  /** Found by the presence of an attribute key. */
  readonly ofKey: (key: string) => readonly number[];
  /** Found by an attribute's value. */
  readonly ofValue: (key: string) => readonly { readonly value: string; readonly rank: number }[];
}

type BatchTest = (scope: string, resource: ReadonlyMap<string, string>) => boolean;

function batchTests(c: Convention): readonly BatchTest[] {
  const id = c.identify;
  const scopes = new Set(id.scope_exact);
  const patterns = (id.scope_regex ?? []).map((p) => new RegExp(p));
  const tests: BatchTest[] = [];
  if (scopes.size > 0) tests.push((scope) => scopes.has(scope));
  if (patterns.length > 0) tests.push((scope) => patterns.some((p) => p.test(scope)));
  for (const [key, values] of Object.entries(id.resource_eq ?? {})) {
    tests.push((_scope, resource) => values.includes(resource.get(key) ?? ''));
  }
  for (const [key, pattern] of Object.entries(id.resource_regex ?? {})) {
    const regex = new RegExp(pattern);
    tests.push((_scope, resource) => regex.test(resource.get(key) ?? ''));
  }
  for (const key of id.resource_any ?? []) tests.push((_scope, resource) => resource.has(key));
  return tests;
}

/** Compiles the `identify` part of every convention. */
export function compileConventions(mapping: Mapping): Conventions {
  const ranked = mapping.conventions
    .toSorted((a, b) => a.priority - b.priority)
    .map((convention, rank) => ({ rank, convention }));
  const ranks = new Map(ranked.map((c) => [c.convention.id, c.rank]));
  const tests = ranked.map((c) => batchTests(c.convention));
  const matching = (match: (c: Convention) => boolean) =>
    ranked.filter((c) => match(c.convention)).map((c) => c.rank);
  return {
    ranked,
    rankOf: (id) => {
      const rank = ranks.get(id);
      if (rank === undefined) throw new Error(`mapping: unknown convention '${id}'`);
      return rank;
    },
    ofBatch: (scope, resource) => {
      const texts = new Map(resource.map((a) => [a.key, textOf(a.value)]));
      return Uint8Array.from(tests, (list) => Number(list.some((test) => test(scope, texts))));
    },
    ofName: (name) =>
      matching(({ identify: id }) => {
        const prefixes = [...(id.name_prefix ?? []), ...(id.event_prefix ?? [])];
        return id.name_exact?.includes(name) === true || prefixes.some((p) => name.startsWith(p));
      }),
    ofKey: (key) =>
      matching(({ identify: id }) => {
        const found = id.attribute_any?.includes(key) === true;
        return found || id.attribute_prefix?.some((p) => key.startsWith(p)) === true;
      }),
    ofValue: (key) =>
      ranked.flatMap(({ convention, rank }) => {
        const value = convention.identify.attribute_eq?.[key];
        return value === undefined ? [] : [{ value, rank }];
      }),
  };
}

/** The rank of the first convention found, -1 when there is none. */
export function firstOf(detected: Detected): number {
  return detected.indexOf(1);
}
