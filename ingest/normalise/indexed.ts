import type { Value } from '../otlp/model.ts';
import { type Json, jsonOf } from './values.ts';

/** Limits of the mapping for keys such as `llm.input_messages.3.message.content`. */
export interface IndexLimits {
  readonly max_index: number;
  readonly max_messages: number;
  readonly max_depth: number;
}

type Tree = Map<string, Tree | Json>;

const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Folds dotted keys into data: `0.role`, `0.content`, `10.role` become a list in numeric order, gaps closed. Keys that
 * are too deep, too far or hostile are left out; they stay raw attributes.
 */
export function foldIndexed(
  entries: readonly { readonly path: string; readonly value: Value }[],
  limits: IndexLimits,
): readonly Json[] {
  const root: Tree = new Map();
  for (const { path, value } of entries) {
    const segments = path.split('.');
    if (segments.length > limits.max_depth || segments.some((s) => forbidden.has(s))) continue;
    if (Number(segments[0]) > limits.max_index) continue;
    place(root, segments, jsonOf(value));
  }
  const folded = unfold(root);
  return (Array.isArray(folded) ? folded : [folded]).slice(0, limits.max_messages);
}

function place(root: Tree, segments: readonly string[], value: Json): void {
  let node = root;
  for (const segment of segments.slice(0, -1)) {
    const next = node.get(segment);
    if (next instanceof Map) node = next;
    else {
      const fresh: Tree = new Map();
      node.set(segment, fresh);
      node = fresh;
    }
  }
  const leaf = segments.at(-1) ?? '';
  // Both `x` and `x.y` may be given, in any order: the deeper one says more.
  if (!(node.get(leaf) instanceof Map)) node.set(leaf, value);
}

function unfold(node: Tree | Json): Json {
  if (!(node instanceof Map)) return node;
  const keys = [...node.keys()];
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key))) {
    const sorted = keys.toSorted((a, b) => Number(a) - Number(b));
    return sorted.map((key) => unfold(node.get(key) ?? null));
  }
  const out: Record<string, Json> = Object.create(null);
  for (const key of keys) out[key] = unfold(node.get(key) ?? null);
  return out;
}
