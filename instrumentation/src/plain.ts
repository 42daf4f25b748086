/** Any value as JSON text: never throws, never runs unbounded, and keeps no reference to the value. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

const maxDepth = 32;
const maxNodes = 20_000;
const maxChars = 1_048_576;

interface Walk {
  readonly sorted: boolean;
  readonly text: (value: string) => string;
  readonly path: Set<object>;
  nodes: number;
  chars: number;
  /** Redaction threw: nothing of this value may be recorded. */
  broken: boolean;
}

/** The same text for equal values whatever the order of their keys; what hashes are made of. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(
    plain(
      value,
      walk(true, (text) => text),
      0,
    ),
  );
}

/** JSON text in the value's own key order, each string passed through `text` (redaction). */
export function contentJson(value: unknown, text: (value: string) => string): string {
  return JSON.stringify(plain(value, walk(false, text), 0));
}

function walk(sorted: boolean, text: (value: string) => string): Walk {
  return { sorted, text, path: new Set(), nodes: 0, chars: 0, broken: false };
}

function plain(value: unknown, state: Walk, depth: number): Plain {
  state.nodes += 1;
  if (state.nodes > maxNodes || state.chars > maxChars || depth > maxDepth) return '[Truncated]';
  switch (typeof value) {
    case 'string':
      return leaf(value, state);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : plainObject(value, state, depth);
    default:
      return null;
  }
}

function leaf(value: string, state: Walk): string {
  state.chars += value.length;
  const short =
    value.length > maxChars ? `${value.slice(0, maxChars)}[Truncated ${value.length}]` : value;
  try {
    return state.text(short);
  } catch (error) {
    state.broken = true;
    throw error;
  }
}

function plainObject(value: object, state: Walk, depth: number): Plain {
  if (state.path.has(value)) return '[Circular]';
  state.path.add(value);
  try {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Error)
      return plain({ name: value.name, message: value.message }, state, depth);
    if (value instanceof Map) return plain([...value], state, depth + 1);
    if (value instanceof Set) return plain([...value], state, depth + 1);
    if (Array.isArray(value)) {
      return value.slice(0, maxNodes).map((item: unknown) => plain(item, state, depth + 1));
    }
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      return plain(value.toJSON(), state, depth + 1);
    }
    return plainRecord(value, state, depth);
  } catch (error) {
    if (state.broken) throw error;
    // A hostile proxy or toJSON: the value is unreadable, its siblings are not.
    return '[Unreadable]';
  } finally {
    state.path.delete(value);
  }
}

function plainRecord(value: object, state: Walk, depth: number): Plain {
  const keys = Object.keys(value);
  if (state.sorted) keys.sort();
  const record: { [key: string]: Plain } = {};
  for (const key of keys) {
    const item = read(value, key);
    if (item === undefined || typeof item === 'function' || typeof item === 'symbol') continue;
    state.chars += key.length;
    const copy = plain(item, state, depth + 1);
    // Set, `__proto__` would be no key; defined, all others would cost eight times as much.
    if (key === '__proto__') Object.defineProperty(record, key, { value: copy, enumerable: true });
    else record[key] = copy;
  }
  return record;
}

function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return '[Unreadable]';
  }
}
