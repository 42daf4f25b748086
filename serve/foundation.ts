import { mkdir } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { checksumOf } from '../ingest/normalise/mapping.ts';
import { createNormaliser, type Normaliser } from '../ingest/normalise/normaliser.ts';
import { openStore, type Store } from '../store/connection.ts';
import { mappingVersion } from '../store/mappings.ts';
import { readMapping } from './settings.ts';
import type { Undo } from './undo.ts';

/** What both services stand on. */
export interface Foundation {
  readonly store: Store;
  /** By the mapping in use, in its version among all that ever wrote to this store. */
  readonly normaliser: Normaliser;
}

/** Opens the store. Throws what a bad setting, directory or database throws. */
export async function openFoundation(config: Config, undo: Undo): Promise<Foundation> {
  const mapping = await readMapping(config);
  await mkdir(config.data, { recursive: true });
  const store = await openStore(
    config.clickhouseUrl === undefined ? { path: config.data } : { url: config.clickhouseUrl },
  );
  undo.push(() => store.close());
  const version = await mappingVersion(store, checksumOf(mapping), mapping.version);
  return { store, normaliser: await createNormaliser({ ...mapping, version }) };
}
