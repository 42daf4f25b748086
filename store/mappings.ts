import type { Store } from './connection.ts';
import { query, sql } from './sql.ts';

/** The version takes 11 bits of a row's `ver`. */
const maxVersion = 2047;

/** No mapping can get a version any more. */
export class MappingsExhausted extends Error {
  override readonly name = 'MappingsExhausted';
}

/**
 * The version of rows made by the mapping with this checksum. The one used last keeps its version; another gets a
 * greater one, also when it was in use before: what it says now must win over what the others said since. At least
 * `floor`, the version that the mapping's file states.
 *
 * @throws MappingsExhausted after 2047 changes.
 */
export async function mappingVersion(
  store: Store,
  checksum: string,
  floor: number,
): Promise<number> {
  const [last] = await query<{ version: number; checksum: string }>(
    store,
    sql`SELECT version, checksum FROM mappings ORDER BY version DESC, first_used_at LIMIT 1`,
  );
  if (last?.checksum === checksum) return last.version;
  const version = Math.max(floor, (last?.version ?? 0) + 1);
  if (version > maxVersion) {
    throw new MappingsExhausted(
      `the mapping changed ${maxVersion} times, and its version has no more room; use the last one again, or a new data directory`,
    );
  }
  await store.client.command({
    query: 'INSERT INTO mappings (version, checksum) SELECT {version:UInt16}, {checksum:String}',
    query_params: { version, checksum },
  });
  return version;
}
