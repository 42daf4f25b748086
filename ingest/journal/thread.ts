import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from './messages.ts';

/** Starts the journal's thread, compiled or from sources as this file itself is. */
export async function startThread(workerData: WorkerOptions): Promise<Worker> {
  // The process's own flags do not apply: its loaders and its `--eval` are not meant for this thread.
  const options = { workerData, execArgv: [] };
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./worker.js', import.meta.url), options);
  }
  const source = new URL('./worker-from-source.mjs', import.meta.url).href;
  const { script } = (await import(source)) as { readonly script: string };
  return new Worker(script, { ...options, eval: true });
}
