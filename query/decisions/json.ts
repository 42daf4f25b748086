// What JSON can begin with; true, false and null begin like many sentences.
const beginning = /^\s*(?:[[{"\d-]|true|false|null)/;

/** The parsed value, or undefined when `text` is not JSON. */
export function parseJson(text: string): unknown {
  // Prose is told by its beginning: an error costs ten times as much as parsing.
  if (!beginning.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Deeper structures than this are cut: a hostile document must not exhaust the stack.
const maxDepth = 64;

/** JSON with sorted keys: equal values give equal text. */
export function canonical(value: unknown, depth = 0): string {
  if (depth > maxDepth) return '"…"';
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const names = Object.keys(value);
  if (!isSorted(names)) names.sort();
  let text = '{';
  for (const name of names)
    text += `${text === '{' ? '' : ','}${JSON.stringify(name)}:${canonical(value[name], depth + 1)}`;
  return `${text}}`;
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] ?? '') > (names[i] ?? '')) return false;
  return true;
}

export type Scalar = string | number | boolean | null;

/** A scalar inside a JSON value: RFC 6901 pointer, nearest object key, value. */
export interface Leaf {
  readonly pointer: string;
  readonly key: string;
  readonly value: Scalar;
}

// Above this many leaves a document is not searched further: one huge result must not hold up an answer.
const maxLeaves = 50_000;

/** The scalars of a JSON value in document order. */
export function leavesOf(root: unknown): Leaf[] {
  const leaves: Leaf[] = [];
  addLeaves(leaves, root, '', '', 0);
  return leaves;
}

function addLeaves(leaves: Leaf[], value: unknown, pointer: string, key: string, depth: number) {
  if (leaves.length >= maxLeaves || depth > maxDepth) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++)
      addLeaves(leaves, value[i], `${pointer}/${i}`, key, depth + 1);
  } else if (isRecord(value)) {
    for (const name of Object.keys(value))
      addLeaves(leaves, value[name], `${pointer}/${escapePointer(name)}`, name, depth + 1);
  } else {
    leaves.push({ pointer, key, value: (value ?? null) as Scalar });
  }
}

/** The scalars of {@link leavesOf} with their nearest keys, without the cost of pointers. */
export function visitScalars(root: unknown, visit: (key: string, value: Scalar) => void) {
  let left = maxLeaves;
  const walk = (value: unknown, key: string, depth: number) => {
    if (left <= 0 || depth > maxDepth) return;
    if (Array.isArray(value)) {
      for (const item of value) walk(item, key, depth + 1);
    } else if (isRecord(value)) {
      for (const name of Object.keys(value)) walk(value[name], name, depth + 1);
    } else {
      left--;
      visit(key, (value ?? null) as Scalar);
    }
  };
  walk(root, '', 0);
}

function escapePointer(name: string): string {
  if (!/[~/]/.test(name)) return name;
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
