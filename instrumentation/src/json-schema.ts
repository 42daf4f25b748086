import { canonicalJson } from './plain.ts';
import { type Json, list, number, record, text } from './wire/json.ts';

// Schemas are interpreted, never compiled: they may come from a server that nobody vouches for. `pattern` and `format` are
// not evaluated (a pattern can take exponential time); what is not known accepts. As the backend does it where it has the
// schema; here, so that the verdict is known where content is not sent.
const maxDepth = 32;
const maxSteps = 10_000;

interface Walk {
  readonly root: unknown;
  steps: number;
}

/** Whether a value fits a JSON Schema. */
export function fitsSchema(schema: unknown, value: unknown): boolean {
  return fits({ root: schema, steps: 0 }, schema, value, 0);
}

function fits(walk: Walk, schema: unknown, value: unknown, depth: number): boolean {
  walk.steps += 1;
  if (depth > maxDepth || walk.steps > maxSteps) return true;
  if (schema === false) return false;
  const rules = record(schema);
  if (!rules) return true;
  const inner = (part: unknown, item: unknown = value): boolean =>
    fits(walk, part, item, depth + 1);
  const target = text(rules['$ref']);
  return (
    (target === undefined || inner(resolve(walk.root, target))) &&
    fitsValue(rules, value) &&
    fitsCombined(rules, inner) &&
    fitsObject(rules, record(value), inner) &&
    fitsArray(rules, value, inner)
  );
}

type Inner = (schema: unknown, value?: unknown) => boolean;

function fitsValue(rules: Json, value: unknown): boolean {
  const { type, enum: members, const: constant } = rules;
  const types = typeof type === 'string' ? [type] : list(type);
  if (types.length > 0 && !types.some((name) => isOfType(name, value))) return false;
  if (Array.isArray(members) && !members.some((member) => same(member, value))) return false;
  if (constant !== undefined && !same(constant, value)) return false;
  if (typeof value === 'number') return fitsNumber(rules, value);
  if (typeof value === 'string') return within(rules, 'Length', [...value].length);
  return !Array.isArray(value) || within(rules, 'Items', value.length);
}

function fitsNumber(rules: Json, value: number): boolean {
  const step = number(rules['multipleOf']) ?? 0;
  const ratio = step > 0 ? value / step : 0;
  return (
    within(rules, 'imum', value) &&
    value > (number(rules['exclusiveMinimum']) ?? Number.NEGATIVE_INFINITY) &&
    value < (number(rules['exclusiveMaximum']) ?? Number.POSITIVE_INFINITY) &&
    Math.abs(ratio - Math.round(ratio)) < 1e-9
  );
}

/** `minimum` and `maximum`, `minLength` and `maxLength`, `minItems` and `maxItems`. */
function within(rules: Json, what: string, size: number): boolean {
  const least = number(rules[`min${what}`]) ?? Number.NEGATIVE_INFINITY;
  const most = number(rules[`max${what}`]) ?? Number.POSITIVE_INFINITY;
  return size >= least && size <= most;
}

function fitsObject(rules: Json, value: Json | undefined, inner: Inner): boolean {
  if (!value) return true;
  const properties = record(rules['properties']) ?? {};
  const extra = rules['additionalProperties'];
  const missing = list(rules['required']).some(
    (name) => typeof name === 'string' && !Object.hasOwn(value, name),
  );
  if (missing) return false;
  return Object.entries(value).every(([name, item]) => {
    if (Object.hasOwn(properties, name)) return inner(properties[name], item);
    if (extra === false) return rules['patternProperties'] !== undefined;
    return inner(extra, item);
  });
}

function fitsArray(rules: Json, value: unknown, inner: Inner): boolean {
  if (!Array.isArray(value)) return true;
  const prefix = list(rules['prefixItems']);
  if (rules['uniqueItems'] === true && new Set(value.map(canonicalJson)).size < value.length) {
    return false;
  }
  return value.every((item: unknown, at) =>
    inner(at < prefix.length ? prefix[at] : rules['items'], item),
  );
}

function fitsCombined({ allOf, anyOf, oneOf, not }: Json, inner: Inner): boolean {
  return (
    list(allOf).every((part) => inner(part)) &&
    (!Array.isArray(anyOf) || anyOf.some((part) => inner(part))) &&
    (!Array.isArray(oneOf) || oneOf.filter((part) => inner(part)).length === 1) &&
    (not === undefined || !inner(not))
  );
}

/** A local reference; anything else is unknown and accepts. */
function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return reference === '#' ? root : undefined;
  let at: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    at = record(at)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at;
}

function isOfType(name: unknown, value: unknown): boolean {
  switch (name) {
    case 'object':
      return record(value) !== undefined;
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === name;
    default:
      return true;
  }
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
