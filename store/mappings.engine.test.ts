import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from './connection.ts';
import { MappingsExhausted, mappingVersion } from './mappings.ts';

describe('mappingVersion', () => {
  let path: string;
  let store: Store;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'plumbline-'));
    store = await openStore({ path });
  });
  afterAll(async () => {
    await store.close();
    await rm(path, { recursive: true });
  });

  it('keeps the version of an unchanged mapping and gives any other a greater one', async () => {
    const versions: number[] = [];
    for (const checksum of ['a', 'a', 'b', 'b', 'a', 'c']) {
      versions.push(await mappingVersion(store, checksum, 1));
    }
    expect(versions).toEqual([1, 1, 2, 2, 3, 4]);
    expect(await mappingVersion(store, 'd', 9)).toBe(9);
    expect(await mappingVersion(store, 'e', 2047)).toBe(2047);
    await expect(mappingVersion(store, 'f', 1)).rejects.toThrow(MappingsExhausted);
  });
});
