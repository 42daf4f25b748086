import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseError } from '@clickhouse/client';
import { BadRequest } from './otlp/refusal.ts';
import { TooLarge } from './too-large.ts';

/**
 * `content`: this data will never be taken, other data may be. `store`: nothing is wrong with the data; try again until
 * the store is back. `unknown`: an answer of ClickHouse that could mean either.
 */
export type Failure = 'content' | 'store' | 'unknown';

/** ClickHouse's codes for values that it cannot take. */
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

/** Codes that say something of the server and nothing of the data: load, memory, disk, locks, network, replicas, rights. */
const storeCodes: ReadonlySet<string> = new Set([
  '16', // NO_SUCH_COLUMN_IN_TABLE
  '60', // UNKNOWN_TABLE
  '74', // CANNOT_READ_FROM_FILE_DESCRIPTOR
  '75', // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  '76', // CANNOT_OPEN_FILE
  '81', // UNKNOWN_DATABASE
  '95', // CANNOT_READ_FROM_SOCKET
  '107', // FILE_DOESNT_EXIST
  '159', // TIMEOUT_EXCEEDED
  '160', // TOO_SLOW
  '173', // CANNOT_ALLOCATE_MEMORY
  '192', // UNKNOWN_USER
  '193', // WRONG_PASSWORD
  '198', // DNS_ERROR
  '201', // QUOTA_EXCEEDED
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '203', // NO_FREE_CONNECTION
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '218', // TABLE_IS_DROPPED
  '225', // NO_ZOOKEEPER
  '236', // ABORTED
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '243', // NOT_ENOUGH_SPACE
  '252', // TOO_MANY_PARTS
  '254', // NO_ACTIVE_REPLICAS
  '279', // ALL_CONNECTION_TRIES_FAILED
  '285', // TOO_FEW_LIVE_REPLICAS
  '286', // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  '319', // UNKNOWN_STATUS_OF_INSERT
  '384', // PART_IS_TEMPORARILY_LOCKED
  '394', // QUERY_WAS_CANCELLED
  '425', // SYSTEM_ERROR
  '439', // CANNOT_SCHEDULE_TASK
  '473', // DEADLOCK_AVOIDED
  '497', // ACCESS_DENIED
  '499', // S3_ERROR
  '516', // AUTHENTICATION_FAILED
  '700', // USER_SESSION_LIMIT_EXCEEDED
  '735', // QUERY_WAS_CANCELLED_BY_CLIENT
  '745', // SERVER_OVERLOADED
  '999', // KEEPER_EXCEPTION
  '1000', // POCO_EXCEPTION: of its I/O library, such as no space left
]);

/** Classified by code, never by message text. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ClickHouseError) {
    if (contentCodes.has(error.code)) return 'content';
    return storeCodes.has(error.code) ? 'store' : 'unknown';
  }
  // Our own code stumbled over this data: it would every time.
  if (error instanceof TypeError || error instanceof RangeError || isAssertion(error)) {
    return 'content';
  }
  if (error instanceof BadRequest || error instanceof TooLarge) return 'content';
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

const endless: Patience = { tries: Infinity, ms: Infinity };

/** 100 ms, doubling up to 5 s, without end. */
function* delays(): Generator<number> {
  for (let delay = 100; ; delay = Math.min(delay * 2, 5000)) yield delay;
}

/** How often and how long an error of unknown cause is put down to the store before it is to the data. */
export interface Patience {
  readonly tries: number;
  readonly ms: number;
}

/**
 * Repeats an attempt until it succeeds, however long the store is away.
 *
 * @throws the attempt's error when it is about content, or of unknown cause and beyond patience; {@link stopped}
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
  patience: Patience = endless,
): Promise<T> {
  const start = performance.now();
  let tries = 0;
  for (const delayMs of delays()) {
    try {
      return await attempt();
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'content') throw error;
      tries = failure === 'unknown' ? tries + 1 : 0;
      if (tries >= patience.tries && performance.now() - start >= patience.ms) throw error;
      onFailure(error);
    }
    await sleep(delayMs, undefined, { signal }).catch(() => {
      throw stopped;
    });
  }
  throw stopped;
}
