import type { Config } from '../config.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { maintenance } from '../serve/maintenance.ts';
import type { Store } from '../store/connection.ts';

/** A Plumbline without a port. */
export interface Offline {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly work: ReturnType<typeof maintenance>;
}

/**
 * Opens store and ingest without any port, and closes them again. What the journal holds is being replayed meanwhile.
 *
 * @throws StoreBusy or JournalBusy while a Plumbline runs on the data directory.
 */
export async function offline<T>(config: Config, work: (open: Offline) => Promise<T>): Promise<T> {
  const [{ openFoundation }, { openIngest }, { maintenance }, { unwind }] = await Promise.all([
    import('../serve/foundation.ts'),
    import('../serve/ingest-service.ts'),
    import('../serve/maintenance.ts'),
    import('../serve/undo.ts'),
  ]);
  const undo: (() => Promise<void>)[] = [];
  try {
    const foundation = await openFoundation(config, undo);
    const { store, normaliser } = foundation;
    const ingest = await openIngest(config, foundation, undefined, undo);
    return await work({ store, ingest, work: maintenance(store, normaliser) });
  } finally {
    await unwind(undo);
  }
}
