import { canonical, isRecord } from './json.ts';

// Tool schemas are telemetry, so hostile: they are interpreted, never compiled, with bounds on depth and output.
// `pattern` and `format` are not evaluated (a pattern can take exponential time); an unknown keyword accepts.
const maxDepth = 32;
const maxViolations = 20;

/** Ways in which `value` violates a JSON Schema, as `pointer: reason`; empty when it conforms. */
export function violations(schema: unknown, value: unknown): string[] {
  const found: string[] = [];
  check({ root: schema, found }, schema, value, '', 0);
  return found.slice(0, maxViolations);
}

interface Run {
  readonly root: unknown;
  readonly found: string[];
}

const combinators = ['allOf', 'anyOf', 'oneOf', 'not'] as const;

function say(run: Run, at: string, reason: string) {
  run.found.push(`${at || '/'}: ${reason}`);
}

function check(run: Run, schema: unknown, value: unknown, at: string, depth: number): void {
  if (depth > maxDepth || run.found.length >= maxViolations) return;
  if (schema === false) say(run, at, 'not allowed');
  if (!isRecord(schema)) return;
  const target = typeof schema['$ref'] === 'string' ? resolve(run.root, schema['$ref']) : undefined;
  if (target !== undefined) check(run, target, value, at, depth + 1);
  checkValue(run, schema, value, at);
  if (combinators.some((name) => schema[name] !== undefined))
    checkCombined(run, schema, value, at, depth);
  if (isRecord(value)) checkObject(run, schema, value, at, depth);
  if (Array.isArray(value)) checkArray(run, schema, value, at, depth);
}

function checkValue(
  run: Run,
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
  at: string,
) {
  const { type, enum: members, const: constant } = schema;
  if (!isOfTypes(schema, value)) {
    const types = Array.isArray(type) ? type.join(' or ') : type;
    say(run, at, `expected ${types}, got ${typeName(value)}`);
  }
  const open = schema['nullable'] === true && value === null;
  if (Array.isArray(members) && !open && !members.some((member) => same(member, value)))
    say(run, at, `${brief(value)} is not one of ${members.map(brief).join(', ')}`);
  if (constant !== undefined && !same(constant, value)) say(run, at, `must be ${brief(constant)}`);
  if (typeof value === 'number') checkNumber(run, schema, value, at);
  if (typeof value === 'string') {
    const { minLength: low, maxLength: high } = schema;
    if (low !== undefined || high !== undefined)
      bound(run, low, high, [...value].length, 'characters', at);
  }
  if (Array.isArray(value))
    bound(run, schema['minItems'], schema['maxItems'], value.length, 'items', at);
}

/** OpenAPI has `nullable` where JSON Schema lists the type `null`; Gemini writes types in capitals. */
function isOfTypes(schema: Readonly<Record<string, unknown>>, value: unknown): boolean {
  const { type, nullable } = schema;
  if (nullable === true && value === null) return true;
  if (typeof type === 'string') return isOfType(type, value);
  return !Array.isArray(type) || type.length === 0 || type.some((name) => isOfType(name, value));
}

function checkNumber(
  run: Run,
  schema: Readonly<Record<string, unknown>>,
  value: number,
  at: string,
) {
  bound(run, schema['minimum'], schema['maximum'], value, '', at);
  const { exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: step } = schema;
  if (typeof above === 'number' && value <= above) say(run, at, `${value} is not above ${above}`);
  if (typeof below === 'number' && value >= below) say(run, at, `${value} is not below ${below}`);
  if (typeof step === 'number' && step > 0 && !isMultiple(value, step))
    say(run, at, `${value} is not a multiple of ${step}`);
}

function isMultiple(value: number, step: number): boolean {
  const ratio = value / step;
  return Math.abs(ratio - Math.round(ratio)) < 1e-9;
}

function bound(run: Run, least: unknown, most: unknown, size: number, unit: string, at: string) {
  if (typeof least === 'number' && size < least)
    say(run, at, `${amount(size, unit)} is less than ${least}`);
  if (typeof most === 'number' && size > most)
    say(run, at, `${amount(size, unit)} is more than ${most}`);
}

function amount(size: number, unit: string): string {
  return `${size} ${unit}`.trimEnd();
}

function checkObject(
  run: Run,
  schema: Readonly<Record<string, unknown>>,
  value: Readonly<Record<string, unknown>>,
  at: string,
  depth: number,
) {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  for (const name of required) {
    if (typeof name === 'string' && !Object.hasOwn(value, name)) say(run, at, `${name} is missing`);
  }
  const extra = schema['additionalProperties'];
  for (const name of Object.keys(value)) {
    const item = value[name];
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own !== undefined) check(run, own, item, `${at}/${name}`, depth + 1);
    else if (extra === false && schema['patternProperties'] === undefined)
      say(run, at, `${name} is not allowed`);
    else if (isRecord(extra)) check(run, extra, item, `${at}/${name}`, depth + 1);
  }
}

function checkArray(
  run: Run,
  schema: Readonly<Record<string, unknown>>,
  value: readonly unknown[],
  at: string,
  depth: number,
) {
  const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
  value.forEach((item, i) => {
    const own = i < prefix.length ? prefix[i] : schema['items'];
    if (own !== undefined) check(run, own, item, `${at}/${i}`, depth + 1);
  });
  if (schema['uniqueItems'] === true && new Set(value.map((v) => canonical(v))).size < value.length)
    say(run, at, 'items repeat');
}

function checkCombined(
  run: Run,
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
  at: string,
  depth: number,
) {
  const passes = (part: unknown) => {
    const own: Run = { root: run.root, found: [] };
    check(own, part, value, at, depth + 1);
    return own.found.length === 0;
  };
  const { allOf, anyOf, oneOf, not } = schema;
  if (Array.isArray(allOf)) for (const part of allOf) check(run, part, value, at, depth + 1);
  if (Array.isArray(anyOf) && !anyOf.some(passes))
    say(run, at, `matches none of ${anyOf.length} allowed forms`);
  if (Array.isArray(oneOf) && oneOf.filter(passes).length !== 1)
    say(run, at, `does not match exactly one of ${oneOf.length} forms`);
  if (not !== undefined && passes(not)) say(run, at, 'has a form that is excluded');
}

/** A local reference; anything else is unknown and accepts. */
function resolve(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return reference === '#' ? root : undefined;
  let at: unknown = root;
  for (const step of reference.slice(2).split('/')) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isRecord(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

/** The schema that applies to the value at a pointer, through properties, items, references and unions. */
export function schemasAt(root: unknown, pointer: string): unknown[] {
  let level = expand(root, [root], 0);
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    level = expand(
      root,
      level.flatMap((schema) => child(schema, name)),
      0,
    );
  }
  return level;
}

function child(schema: unknown, name: string): unknown[] {
  if (!isRecord(schema)) return [];
  const properties = schema['properties'];
  if (isRecord(properties) && Object.hasOwn(properties, name)) return [properties[name]];
  if (!/^\d+$/.test(name)) return [];
  const prefix = schema['prefixItems'];
  return [Array.isArray(prefix) ? (prefix[Number(name)] ?? schema['items']) : schema['items']];
}

function expand(root: unknown, schemas: readonly unknown[], depth: number): unknown[] {
  if (depth > 4) return [];
  return schemas.flatMap((schema) => {
    if (!isRecord(schema)) return [];
    const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((name) => schema[name] ?? []);
    const target = typeof schema['$ref'] === 'string' ? [resolve(root, schema['$ref'])] : [];
    return [schema, ...expand(root, [...parts, ...target], depth + 1)];
  });
}

function isOfType(name: unknown, value: unknown): boolean {
  switch (typeof name === 'string' ? name.toLowerCase() : name) {
    case 'object':
      return isRecord(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === String(name).toLowerCase();
    default:
      return true;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && canonical(a) === canonical(b));
}

function brief(value: unknown): string {
  const text = canonical(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
