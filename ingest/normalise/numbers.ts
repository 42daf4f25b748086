import { type Json, member, parseJson } from './values.ts';

/**
 * A count as reported: a number, numeric text, or the `{"intValue": …}` that some collectors leave as it is. Negative,
 * fractional and unsafe numbers say nothing.
 */
export function unsigned(value: Json): bigint | undefined {
  switch (typeof value) {
    case 'bigint':
      return value >= 0n ? value : undefined;
    case 'number':
      return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
    case 'string': {
      const text = value.trim();
      if (/^\d{1,18}$/.test(text)) return BigInt(text);
      if (/^\d{1,15}\.0+$/.test(text)) return BigInt(text.split('.')[0] ?? text);
      return text.startsWith('{') ? unsigned(parseJson(text) ?? null) : undefined;
    }
    default: {
      const wrapped = member(value, 'intValue');
      return wrapped === undefined ? undefined : unsigned(wrapped);
    }
  }
}

/** A finite double from a number or numeric text. */
export function double(value: Json): number | undefined {
  if (typeof value === 'string' && value.trim() === '') return undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') {
    return undefined;
  }
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** True and false, also as the text or digit that some languages write. */
export function boolean(value: Json): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = String(value).toLowerCase();
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

/** Microseconds as seconds. */
export function microToSeconds(micros: bigint): number {
  return Number(micros) / 1e6;
}
