const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const bracket = 0x5b;
const brace = 0x7b;

/**
 * Whether JSON text has more than `max` brackets, braces and commas outside its strings: what it would become in memory
 * has to be known before it is parsed. A body with fewer bytes than that is not looked at.
 */
export function hasTooMany(body: Uint8Array, max: number): boolean {
  if (body.length <= max) return false;
  let count = 0;
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i];
    if (byte === quote) i = stringEnd(body, i + 1);
    else if (byte === comma || byte === bracket || byte === brace) count += 1;
  }
  return count > max;
}

/** Where the string ends that begins at `from`: its closing quote, or the end of the body. */
function stringEnd(body: Uint8Array, from: number): number {
  let i = from;
  for (; i < body.length; i += 1) {
    const byte = body[i];
    if (byte === quote) break;
    if (byte === backslash) i += 1;
  }
  return i;
}
