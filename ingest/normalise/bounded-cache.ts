/** Keys and names come off the wire: the memory of what was computed for them is bounded. */
const maxEntries = 10_000;

/** Remembers the results of a pure function of a short text, and starts afresh when full. */
export function boundedCache<T>(compute: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const hit = known.get(key);
    if (hit !== undefined) return hit;
    const value = compute(key);
    if (known.size >= maxEntries) known.clear();
    // A key longer than any real one is not worth keeping.
    if (key.length <= 256) known.set(key, value);
    return value;
  };
}
