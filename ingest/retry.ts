import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseError } from '@clickhouse/client';

/**
 * `content`: this data will never be taken, other data may be. `store`: nothing is wrong with the data; try again until
 * the store is back.
 */
export type Failure = 'content' | 'store';

/** ClickHouse's codes for values that it cannot take. Everything else may pass: memory, disk, locks, network, load. */
const contentCodes: ReadonlySet<string> = new Set([
  '6', // CANNOT_PARSE_TEXT
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '33', // CANNOT_READ_ALL_DATA
  '38', // CANNOT_PARSE_DATE
  '41', // CANNOT_PARSE_DATETIME
  '53', // TYPE_MISMATCH
  '69', // ARGUMENT_OUT_OF_BOUND
  '70', // CANNOT_CONVERT_TYPE
  '72', // CANNOT_PARSE_NUMBER
  '117', // INCORRECT_DATA
  '128', // TOO_LARGE_ARRAY_SIZE
  '131', // TOO_LARGE_STRING_SIZE
  '190', // SIZES_OF_ARRAYS_DONT_MATCH
  '321', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  '349', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  '407', // DECIMAL_OVERFLOW
]);

/** Classified by code, never by message text. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ClickHouseError) return contentCodes.has(error.code) ? 'content' : 'store';
  // Our own code stumbled over this data: it would every time.
  if (error instanceof TypeError || error instanceof RangeError || isAssertion(error)) {
    return 'content';
  }
  return 'store';
}

function isAssertion(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ASSERTION';
}

/** Names an error for a log line. Never its message: the store's quotes values. */
export function nameOf(error: unknown): string {
  if (error instanceof ClickHouseError) return `ClickHouse error ${error.code} ${error.type ?? ''}`;
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  return `${error.name}${code}`;
}

/** Thrown out of {@link persist} when its signal aborts. */
export const stopped = Symbol('stopped');

/** 100 ms, doubling up to 5 s, without end. */
function* delays(): Generator<number> {
  for (let delay = 100; ; delay = Math.min(delay * 2, 5000)) yield delay;
}

/**
 * Repeats an attempt until it succeeds, however long the store is away.
 *
 * @throws the attempt's error when it is about content, {@link stopped}
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<T> {
  for (const delayMs of delays()) {
    try {
      return await attempt();
    } catch (error) {
      if (failureOf(error) === 'content') throw error;
      onFailure(error);
    }
    await sleep(delayMs, undefined, { signal }).catch(() => {
      throw stopped;
    });
  }
  throw stopped;
}
