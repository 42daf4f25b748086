import { isRecord, parseJson } from './json.ts';

/**
 * Whether a tool result reads as an error although nothing says so (BEHAVIOUR §2): text that begins with
 * `error|exception|traceback|failed`, or JSON whose top level has a non-empty `error|errors|exception`,
 * `ok|success: false`, or `status_code` of 400 and more.
 */
export function readsAsError(text: string): boolean {
  const start = text.trimStart();
  if (/^(error|exception|traceback|failed)/i.test(start)) return true;
  if (!start.startsWith('{')) return false;
  const value = parseJson(start);
  if (!isRecord(value)) return false;
  if (['error', 'errors', 'exception'].some((key) => isFilled(value[key]))) return true;
  if (value['ok'] === false || value['success'] === false) return true;
  return typeof value['status_code'] === 'number' && value['status_code'] >= 400;
}

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isRecord(value) || Object.keys(value).length > 0;
}
