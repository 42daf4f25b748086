import type { Hash } from './blobs.ts';
import { at, countAt, type FieldValues, flagAt, textAt } from './fields.ts';
import { double } from './numbers.ts';
import { canonicalText, isArray, isObject, type Json, member, parseJson } from './values.ts';

/** What a tool span says about its call, at every content level. */
export interface ToolColumns {
  readonly tool_error_by: string;
  readonly tool_arguments_hash: string;
  readonly tool_arguments_valid: number | null;
  readonly tool_result_hash: string;
  readonly tool_result_bytes: bigint | null;
  readonly tool_result_shape: string;
}

/** Columns of a span that is no tool call. */
export const noTool: ToolColumns = {
  tool_error_by: '',
  tool_arguments_hash: '',
  tool_arguments_valid: null,
  tool_result_hash: '',
  tool_result_bytes: null,
  tool_result_shape: '',
};

/** Most keys that a result's shape lists. */
const maxShapeKeys = 20;

// Not praise, and not a count of none.
const errorText =
  /^\s*(?!exceptional|error-?free|errorless|(?:errors?|exceptions?|failed)[\w ]{0,20}[:=]\s*(?:0|none)\s*(?:$|[\n.,;)](?!\d)))(?:error|exception|traceback|failed)/i;
const errorKeys = /"(error|errors|exception|ok|success|status_code|isError|is_error)"/;

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) {
    return true;
  }
  if (isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/**
 * How a result's content tells of an error: `flag` for `isError`, `content` for text that begins like an error or JSON
 * whose top level names one (BEHAVIOUR §2), '' for none.
 */
export function errorIn(result: string): '' | 'flag' | 'content' {
  if (errorText.test(result)) return 'content';
  const head = result.trimStart()[0];
  if (head === '"') {
    const text = parseJson(result);
    return typeof text === 'string' && errorText.test(text) ? 'content' : '';
  }
  if (head !== '{' || !errorKeys.test(result)) return '';
  const data = parseJson(result);
  if (!isObject(data)) return '';
  if (member(data, 'isError') === true || member(data, 'is_error') === true) return 'flag';
  const named = ['error', 'errors', 'exception'].some((key) => !isEmpty(member(data, key)));
  const refused = member(data, 'ok') === false || member(data, 'success') === false;
  const status = double(member(data, 'status_code') ?? null);
  return named || refused || (status !== undefined && status >= 400) ? 'content' : '';
}

/** The top type of a result and its sorted keys: `object(a,b)`, `array`, `text`, `empty`. */
export function shapeOf(result: string): string {
  if (result.trim() === '') return 'empty';
  const data = /^\s*[[{"\dtfn-]/.test(result) ? parseJson(result) : undefined;
  if (data === undefined) return 'text';
  if (isEmpty(data) && typeof data !== 'number' && typeof data !== 'boolean') return 'empty';
  if (isObject(data)) {
    const keys = Object.keys(data).sort();
    return `object(${keys.slice(0, maxShapeKeys).join(',')})`.slice(0, 200);
  }
  return isArray(data) ? 'array' : typeof data === 'string' ? 'text' : typeof data;
}

/** Equal data hashes equally, whatever the order of its keys. */
function dataHash(text: string, hash: Hash): string {
  return hash(canonicalText(text)).toString(16).padStart(16, '0');
}

/** Columns of a tool span: what the instrumentation stated, else what the content shows. */
export function toolColumns(
  values: FieldValues,
  failed: boolean,
  args: string | undefined,
  result: string | undefined,
  hash: Hash,
): ToolColumns {
  const seen = result === undefined ? '' : errorIn(result);
  const flagged = values[at.tool_success] === false || seen === 'flag';
  const errorLike = values[at.tool_result_error_like] === true || seen === 'content';
  const bytes = result === undefined ? null : BigInt(Buffer.byteLength(result));
  return {
    tool_error_by: failed ? 'span' : flagged ? 'flag' : errorLike ? 'content' : '',
    tool_arguments_hash:
      textAt(values, 'tool_arguments_hash') || (args === undefined ? '' : dataHash(args, hash)),
    tool_arguments_valid: flagAt(values, 'tool_arguments_valid'),
    tool_result_hash:
      textAt(values, 'tool_result_hash') || (result === undefined ? '' : dataHash(result, hash)),
    tool_result_bytes: countAt(values, 'tool_result_bytes') ?? bytes,
    tool_result_shape:
      textAt(values, 'tool_result_shape') || (result === undefined ? '' : shapeOf(result)),
  };
}
