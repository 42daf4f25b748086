import type { Store } from '../connection.ts';
import { command, query, sql } from '../sql.ts';

/**
 * The version of what is derived from data read afterwards: the engine's time in microseconds, and more than any
 * version that anybody got before this call, whatever the clock did since.
 *
 * The second half is what makes the newest read win. A clock alone does not: stepped back, it would give the last
 * derivation of a task a version below that of an earlier one, which may not even have written its rows yet. So every
 * version is entered in a table before it is used. Two callers at once may get the same one: then each has entered its
 * own before either reads, both read everything, and both write the same.
 */
export async function takeVersion(store: Store): Promise<bigint> {
  // Not `greatest(now, max(ver)) + 1`: the version should be a time that has come, for those who compare it with one.
  await command(
    store,
    sql`
INSERT INTO derivation_versions (ver)
SELECT greatest(toUInt64(toUnixTimestamp64Micro(now64(6))), max(ver) + 1) FROM derivation_versions`,
  );
  const [row] = await query<{ ver: string }>(
    store,
    sql`SELECT max(ver) AS ver FROM derivation_versions`,
  );
  if (row === undefined) throw new Error('the engine did not tell a version');
  return BigInt(row.ver);
}
