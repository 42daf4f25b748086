import type { Config } from '../config.ts';
import type { openIngest } from '../serve.ts';

/**
 * Opens store and ingest without any port, and closes them again. What the journal holds is being replayed meanwhile.
 *
 * @throws StoreBusy or JournalBusy while a Plumbline runs on the data directory.
 */
export async function offline<T>(
  config: Config,
  work: (open: Awaited<ReturnType<typeof openIngest>>) => Promise<T>,
): Promise<T> {
  const serve = await import('../serve.ts');
  const undo: (() => Promise<void>)[] = [];
  try {
    return await work(await serve.openIngest(config, undefined, undo));
  } finally {
    for (const close of undo.reverse()) await close();
  }
}
