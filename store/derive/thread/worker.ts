import { parentPort, workerData } from 'node:worker_threads';
import { deriveAll, type Touched } from '../deriver.ts';
import { SLICE } from '../slice.ts';
import type { FromThread, Home, Note, ToThread } from './messages.ts';
import { remoteStore, StatementRefused } from './remote-store.ts';

// Derives what the main thread asks for, one after the other, with a store whose statements run there.
const port = parentPort;
if (port === null) throw new Error('this file runs as a thread');
const store = remoteStore(port, workerData as Home);

/** More traces of a task say nothing about where it lies. */
const mostTraces = 100;

async function derive(touched: readonly Touched[]): Promise<FromThread> {
  const notes: Note[] = [];
  const note = (project: string, rows: Iterable<Note['rows'][number]>, ms: number) => {
    const weighed = Array.from(rows, ({ task_id, spans, trace_ids }) => ({
      task_id,
      spans,
      trace_ids: trace_ids.slice(0, mostTraces),
    }));
    notes.push({ project, rows: weighed, ms });
  };
  try {
    await deriveAll({ store, note, size: SLICE }, touched);
    return { kind: 'derived', notes };
  } catch (error) {
    const statement = error instanceof StatementRefused ? error.id : null;
    return { kind: 'failed', reason: String(error), statement };
  }
}

port.on('message', (message: ToThread) => {
  if (message.kind !== 'derive') return;
  void derive(message.touched).then((done) => port.postMessage(done));
});
