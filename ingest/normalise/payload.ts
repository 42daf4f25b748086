import type { Entries } from '../../store/tables/table.ts';
import type { Attribute } from '../otlp/model.ts';
import type { TracePayload } from './blobs.ts';
import type { KeyPlan } from './compile.ts';
import { codeOf, textOf } from './values.ts';

/** Longer values leave the row whatever they mean, in UTF-16 units. */
export const maxInline = 2048;

/** Marks a payload entry that lists the elements of a JSON array. */
const list = 0n;

/** Attributes as columns: what stays in the row, the types of all, and what went to `messages`. */
export interface AttributeColumns {
  readonly attributes: Entries<string>;
  readonly types: Entries<number>;
  readonly payload: Entries<readonly bigint[]>;
}

/** Attributes rendered as text, with the types that text does not show. */
export function renderAttributes(attributes: readonly Attribute[]): {
  readonly texts: Entries<string>;
  readonly types: Entries<number>;
} {
  const texts: [string, string][] = [];
  const types: [string, number][] = [];
  for (const { key, value } of attributes) {
    texts.push([key, textOf(value)]);
    const code = codeOf(value);
    if (code !== 0) types.push([key, code]);
  }
  return { texts, types };
}

/**
 * Moves content and values over 2 kB out of the attributes. A JSON array is stored element by element where that gives
 * its bytes back, because chats repeat their elements in every call; anything else is one blob.
 */
export function splitPayload(
  attributes: readonly Attribute[],
  plans: readonly KeyPlan[],
  { put, putAll, split }: TracePayload,
): AttributeColumns {
  const kept: [string, string][] = [];
  const types: [string, number][] = [];
  const payload: [string, readonly bigint[]][] = [];
  attributes.forEach(({ key, value }, i) => {
    const text = textOf(value);
    const code = codeOf(value);
    if (code !== 0) types.push([key, code]);
    const plan = plans[i];
    if (text.length <= maxInline && (plan === undefined || !plan.content || text === '')) {
      kept.push([key, text]);
      return;
    }
    const elements = plan?.split === true ? split(key, text) : null;
    payload.push([key, elements === null ? [put(text)] : [list, ...putAll(elements)]]);
  });
  return { attributes: kept, types, payload };
}

/**
 * The text of a moved attribute: the inverse of {@link splitPayload}. Throws where `content` does not know a hash.
 */
export function restorePayload(
  entry: readonly bigint[],
  content: (hash: bigint) => string,
): string {
  const [head, ...rest] = entry;
  if (head === undefined) return '';
  return head === list ? `[${rest.map(content).join(',')}]` : content(head);
}
