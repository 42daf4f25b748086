import type { SourceAnswer } from './answer.ts';
import type { ContentIndex } from './content-index.ts';
import { isRecord, type Leaf, leavesOf } from './json.ts';
import { schemasAt } from './json-schema.ts';
import type { Call, Step, Unsourced } from './model.ts';
import { isScratchTool } from './tools.ts';

// A string of more words is the model's own composition, not a value that it copied.
const maxWords = 8;

/** Where argument values come from, of all external content that decisions saw. */
export interface Lineage {
  readonly sources: readonly SourceAnswer[];
  readonly unsourced: readonly Unsourced[];
}

/**
 * The source of each argument value of a call, and the values that have none. Null for a call whose arguments are not
 * known. Blind spots: values that the model derived (dates from "May 20th", sums), and text of more than eight words.
 */
export function traceArguments(call: Call, step: Step, index: ContentIndex): Lineage | null {
  if (call.args === null) return null;
  const schema = step.toolset?.parameters.get(call.tool);
  const sources = new Map<string, string[]>();
  const unsourced: Unsourced[] = [];
  for (const leaf of leavesOf(isRecord(call.args) ? call.args : {})) {
    if (leaf.value === null || leaf.value === '') continue;
    const member = isMember(schema, leaf.pointer);
    const eligible = !member && isEligible(leaf.value);
    const source = index.find(step, leaf, eligible);
    if (source !== undefined) {
      const args = sources.get(source.id);
      if (args === undefined) sources.set(source.id, [leaf.pointer]);
      else args.push(leaf.pointer);
    } else if (needsSource(call, leaf, eligible, member)) {
      unsourced.push({ pointer: leaf.pointer, value: leaf.value as string | number, member });
    }
  }
  return { sources: [...sources].map(([from, args]) => ({ from, args })), unsourced };
}

function needsSource(call: Call, { value }: Leaf, eligible: boolean, member: boolean): boolean {
  if (isScratchTool(call.tool)) return false;
  if (typeof value === 'number') return eligible || (call.effect === 'write' && !member);
  return eligible && !isComposed(value);
}

function isComposed(value: unknown): boolean {
  if (typeof value !== 'string' || value.length <= 2 * maxWords) return false;
  return value.trim().split(/\s+/).length > maxWords;
}

/** Values that say by themselves where they come from: the rest is too common to be traced by value alone. */
function isEligible(value: Leaf['value']): boolean {
  if (typeof value === 'number') return String(Math.abs(value)).replace(/\D/g, '').length >= 2;
  if (typeof value !== 'string') return false;
  const length = [...value].length;
  return length >= 4 || (length === 3 && (/\d/.test(value) || /^\p{Lu}+$/u.test(value)));
}

const members = new WeakMap<object, Map<string, boolean>>();
// Pointers that are remembered of a schema: more are those of one long list, or made up.
const maxPointers = 1_000;

/** Whether the schema says which values may stand there. Calls of one tool ask the same again and again. */
function isMember(schema: unknown, pointer: string): boolean {
  if (!isRecord(schema)) return false;
  const known = members.get(schema) ?? new Map<string, boolean>();
  members.set(schema, known);
  const before = known.get(pointer);
  if (before !== undefined) return before;
  const member = schemasAt(schema, pointer).some(
    (part) => isRecord(part) && (Array.isArray(part['enum']) || part['const'] !== undefined),
  );
  if (known.size < maxPointers) known.set(pointer, member);
  return member;
}
