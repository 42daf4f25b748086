/**
 * A value as text of a query, typed as a bound parameter would be: `_CAST(['a', 'b'], 'Array(String)')`. Texts are quoted
 * here and nowhere else, so that none can end its quotes; half a character becomes U+FFFD, as it does in parameters.
 *
 * @throws TypeError for what no parameter takes: an object, a number that is not finite.
 */
export function literal(type: string, value: unknown): string {
  if (type === 'Identifier') return quoted(String(value), '`');
  if (type === 'String') return quoted(String(value), "'");
  return `_CAST(${plain(value)}, ${quoted(type, "'")})`;
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(', ')}]`;
  if (value === null) return 'NULL';
  if (typeof value === 'string') return quoted(value, "'");
  if (typeof value === 'bigint' || typeof value === 'boolean' || Number.isFinite(value)) {
    return String(value);
  }
  throw new TypeError(`not a value of a query: ${String(value)}`);
}

function quoted(text: string, quote: "'" | '`'): string {
  const escaped = text
    .toWellFormed()
    .replace(/[\\'`\0]/g, (sign) => (sign === '\0' ? '\\0' : `\\${sign}`));
  return `${quote}${escaped}${quote}`;
}
