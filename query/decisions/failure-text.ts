import { isRecord, parseJson } from './json.ts';

/**
 * Whether a tool result reads as an error although nothing says so (BEHAVIOUR §2): text that begins with
 * `error|exception|traceback|failed`, or JSON whose top level has a non-empty `error|errors|exception`,
 * `ok|success: false`, or `status_code` of 400 and more.
 */
export function readsAsError(text: string): boolean {
  const start = text.trimStart();
  if (/^(error|exception|traceback|failed)/i.test(start)) return !harmless.test(start);
  if (!start.startsWith('{')) return false;
  const value = parseJson(start);
  if (!isRecord(value)) return false;
  if (['error', 'errors', 'exception'].some((key) => isFilled(value[key]))) return true;
  if (value['ok'] === false || value['success'] === false) return true;
  return isFilled(value['status_code']) && Number(value['status_code']) >= 400;
}

// Praise, and counts of none.
const harmless =
  /^(?:exceptional|error-?free|errorless|(?:errors?|exceptions?|failed)[\w ]{0,20}[:=]\s*(?:0|none)\s*(?:$|[\n.,;)](?!\d)))/i;

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isRecord(value) || Object.keys(value).length > 0;
}
