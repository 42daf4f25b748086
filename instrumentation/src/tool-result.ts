import type { Attributes } from '@opentelemetry/api';
import { digest } from './fingerprint.ts';
import { canonicalJson } from './plain.ts';
import { list, number, parse, record, text } from './wire/json.ts';

const maxParsedChars = 1_048_576;
const maxKeys = 32;

/** What is known of a result without showing it (BEHAVIOUR §5). */
export function describeResult(value: unknown): Attributes {
  const written =
    typeof value === 'string' ? value : value === undefined ? '' : canonicalJson(value);
  const structure = structureOf(value, written);
  return {
    'agent.tool.result.hash': digest(written),
    'agent.tool.result.bytes': Buffer.byteLength(written),
    'agent.tool.result.shape': shapeOf(structure),
    'agent.tool.result.error_like': isErrorLike(structure),
  };
}

/** A text that is JSON counts as what it says; objects as what a model would be sent. */
function structureOf(value: unknown, written: string): unknown {
  const json = typeof value !== 'string' || /^\s*[[{]/.test(value);
  if (!json || written === '' || written.length > maxParsedChars) return written;
  return parse(written) ?? written;
}

/** Top type and sorted keys, or `empty`. Keys that look like data (ids as keys) are shown as `*`. */
export function shapeOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : `array<${topShape(value[0])}>`;
  return topShape(value);
}

function topShape(value: unknown): string {
  const object = record(value);
  if (!object) return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  const keys = Object.keys(object).sort();
  if (keys.length === 0) return 'empty';
  return keys.length <= maxKeys && keys.every(isFieldName)
    ? `object{${keys.join(',')}}`
    : 'object{*}';
}

function isFieldName(key: string): boolean {
  return /^[A-Za-z_][\w-]{0,39}$/.test(key) && !/\d{3}/.test(key);
}

/** Whether an OK result says that it failed (BEHAVIOUR §2, "Status of a result"). */
export function isErrorLike(value: unknown): boolean {
  if (typeof value === 'string') return /^\s*(?:error|exception|traceback|failed)/i.test(value);
  const object = record(value);
  if (!object) return false;
  if (object['isError'] === true || object['is_error'] === true) return true;
  if (object['tool_success'] === false) return true;
  if (['error', 'errors', 'exception'].some((key) => isFilled(object[key]))) return true;
  if (object['ok'] === false || object['success'] === false) return true;
  return (number(object['status_code']) ?? 0) >= 400;
}

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return false;
  if (typeof value === 'string') return text(value) !== '';
  if (Array.isArray(value)) return list(value).length > 0;
  return Object.keys(record(value) ?? { value }).length > 0;
}
