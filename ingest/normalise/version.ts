/** 42 bits of milliseconds reach the year 2109. */
const maxMillis = (1n << 42n) - 1n;

/**
 * The version of a stored item: complete (1 bit), mapping version (11), end in milliseconds (42), content hash (10). Of
 * several versions of one item the greatest wins, whatever the order of arrival.
 */
export function versionOf(
  complete: boolean,
  mappingVersion: number,
  endNanos: bigint,
  contentHash: bigint,
): bigint {
  const millis = endNanos / 1_000_000n;
  return (
    ((complete ? 1n : 0n) << 63n) |
    (BigInt(mappingVersion) << 52n) |
    ((millis > maxMillis ? maxMillis : millis) << 10n) |
    (contentHash & 1023n)
  );
}
