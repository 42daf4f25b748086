import { parse } from 'yaml';
import { z } from 'zod';
import { compile } from './compile.ts';
import { contentFields, scalarFields } from './fields.ts';
import { builtInMapping, convention, type Mapping, type Source, source } from './mapping.ts';

const kinds = [
  ...[
    'llm',
    'embedding',
    'retriever',
    'reranker',
    'tool',
    'agent',
    'workflow',
    'task',
    'guardrail',
  ],
  ...['evaluator', 'memory', 'handoff', 'plan', 'prompt', 'decision', 'http', 'db', 'other'],
] as const;

const kind = z.enum(kinds);
const key = z.string().min(1).max(500);
const fieldNames: readonly string[] = [...scalarFields, ...contentFields].filter(
  (name) => name !== 'span_kind' && name !== 'task_id',
);

/** What is wrong with a field's name, null for one that exists. */
function misnamed(name: string): string | null {
  if (fieldNames.includes(name)) return null;
  const near = fieldNames.filter((known) => isNear(known, name));
  const hint = near.length > 0 ? `perhaps ${near.join(' or ')}` : `one of ${fieldNames.join(', ')}`;
  return `no such field; ${hint}`;
}

const ownSource = source
  .omit({ convention: true, declared: true, run_if: true })
  .extend({ convention: z.string().optional() });

const rules = z.strictObject({
  /** Conventions of one's own, as those of `mapping.json`: how they are detected, what their kinds are called. */
  conventions: z.array(convention).max(100).default([]),
  /** A canonical field, and the attributes that fill it before the built-in ones are asked. */
  fields: z
    .record(z.string(), z.array(z.union([key, ownSource])).max(100))
    .default({})
    .superRefine((fields, { addIssue }) => {
      for (const name of Object.keys(fields)) {
        const message = misnamed(name);
        if (message !== null) addIssue({ code: 'custom', path: [name], message });
      }
    }),
  /** Attributes whose value is the id of a task, as a person would count tasks. */
  task_ids: z.array(key).max(100).default([]),
  /** The kind of a span, by what an attribute says and, where none says it, by how its name begins. */
  kinds: z
    .strictObject({
      attributes: z.record(key, z.record(key, kind)).default({}),
      names: z
        .array(z.strictObject({ prefix: key, kind }))
        .max(100)
        .default([]),
    })
    .prefault({}),
  /** Attributes that the built-in rules misread: never taken for this field, or for any; they stay attributes. */
  exclude: z
    .array(
      z.strictObject({
        attribute: key,
        field: z.enum([...fieldNames, 'task_id']).optional(),
      }),
    )
    .max(1000)
    .default([]),
  /** A provider as it is reported, and its name in the price list. */
  provider_aliases: z.record(key, key).default({}),
});

type Rules = z.infer<typeof rules>;

/** A file of mapping rules that cannot be used: one line per problem. */
export class BadMapping extends Error {
  override readonly name = 'BadMapping';
}

/**
 * The built-in mapping with the rules of a user's YAML or JSON file before its own. The result has the version of
 * `base`; whoever stores rows gives it one of its own. Throws {@link BadMapping}.
 */
export function parseOwnMapping(text: string, base: Mapping = builtInMapping()): Mapping {
  let data: unknown;
  try {
    data = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new BadMapping(messageOf(cause), { cause });
  }
  const parsed = rules.safeParse(data ?? {});
  if (!parsed.success) throw new BadMapping(z.prettifyError(parsed.error));
  const merged = merge(base, parsed.data);
  try {
    compile(merged);
  } catch (cause) {
    throw new BadMapping(messageOf(cause), { cause });
  }
  return merged;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const own = 'own';

function merge(base: Mapping, given: Rules): Mapping {
  refuseKnown(base, given);
  refuseMissing(base, given);
  const before: Record<string, Source[]> = {
    task_id: given.task_ids.map((attribute) => ({ convention: own, attribute, declared: true })),
    span_kind: Object.keys(given.kinds.attributes).map((attribute) => ({
      convention: own,
      attribute,
      transform: 'map_kind',
    })),
  };
  for (const [name, list] of Object.entries(given.fields)) {
    before[name] = list.map((one) =>
      typeof one === 'string'
        ? { convention: own, attribute: one }
        : { ...one, convention: one.convention ?? own },
    );
  }
  const fields: Mapping['fields'] = {};
  for (const [name, field] of Object.entries(base.fields)) {
    const kept = field.sources.filter((one) => !isExcluded(given, name, one));
    fields[name] = { ...field, sources: [...(before[name] ?? []), ...kept] };
  }
  return {
    ...base,
    conventions: [...given.conventions, ...base.conventions, ownConvention(given)],
    provider_aliases: { ...base.provider_aliases, ...given.provider_aliases },
    fields,
  };
}

/** Found where a rule about kinds applies. Asked last, so that it names only what no other convention does. */
function ownConvention({ kinds: { attributes, names } }: Rules): Mapping['conventions'][number] {
  return {
    id: own,
    priority: Number.MAX_SAFE_INTEGER,
    identify: {
      attribute_any: Object.keys(attributes),
      name_prefix: names.map(({ prefix }) => prefix),
    },
    kinds: {
      values: attributes,
      names: names.map(({ prefix, kind: named }) => ({ regex: literal(prefix), kind: named })),
    },
  };
}

function literal(prefix: string): string {
  return `^${prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`;
}

function isExcluded({ exclude }: Rules, name: string, one: Source): boolean {
  return exclude.some(
    ({ attribute, field }) => one.attribute === attribute && (field ?? name) === name,
  );
}

function refuseKnown(base: Mapping, given: Rules): void {
  const known = new Set([own, ...base.conventions.map(({ id }) => id)]);
  for (const { id } of given.conventions) {
    if (known.has(id)) throw new BadMapping(`conventions: ${id} is there already`);
    known.add(id);
  }
}

/** An exclusion that names nothing is a slip of the pen: it would exclude nothing without a word. */
function refuseMissing(base: Mapping, { exclude }: Rules): void {
  for (const { attribute, field } of exclude) {
    const asked = field === undefined ? Object.values(base.fields) : [base.fields[field]];
    const used = asked.some((one) => one?.sources.some((s) => s.attribute === attribute));
    if (used) continue;
    throw new BadMapping(
      field === undefined
        ? `exclude: nothing is read from ${attribute}`
        : `exclude: ${field} is not read from ${attribute}`,
    );
  }
}

/** Same letters in another spelling, or one part of the other. */
function isNear(known: string, given: string): boolean {
  const plain = given.toLowerCase().replaceAll(/[^a-z]/g, '');
  const other = known.replaceAll('_', '');
  return plain.length > 2 && (other.includes(plain) || plain.includes(other));
}
