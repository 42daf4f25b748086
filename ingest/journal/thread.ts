import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from './messages.ts';

/** Starts the journal's thread, compiled or from sources as this file itself is. */
export function startThread(workerData: WorkerOptions): Worker {
  const fromSource = import.meta.url.endsWith('.ts');
  const file = fromSource ? './worker-from-source.mjs' : './worker.js';
  // The process's own flags do not apply: its loaders and its `--eval` are not meant for this thread.
  return new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] });
}
