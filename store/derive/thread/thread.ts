import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { Store } from '../../connection.ts';
import type { Touched } from '../deriver.ts';
import type { FromThread, Home, Note, Statement, ToThread } from './messages.ts';

/**
 * Derives in a thread of its own. The rules take a second over 200,000 spans, in which the main thread would answer
 * nobody; there it runs the statements only, and passes their answers on as text.
 */
export interface DeriveThread {
  /**
   * One call after the other.
   *
   * @throws what the store threw; Error when the thread ended.
   */
  derive(touched: readonly Touched[]): Promise<readonly Note[]>;
  close(): Promise<void>;
}

/** The thread starts with the first call. */
export function createDeriveThread(store: Store): DeriveThread {
  let worker: Worker | undefined;
  let closed = false;

  function start(): Worker {
    const fromSource = import.meta.url.endsWith('.ts');
    const file = fromSource ? './worker-from-source.mjs' : './worker.js';
    const home: Home = { embedded: store.embedded, tmp: store.tmp };
    const started = new Worker(new URL(file, import.meta.url), { workerData: home, execArgv: [] });
    started.unref();
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    return started;
  }

  return {
    async derive(touched) {
      if (closed) throw new Error('the thread is closed');
      worker ??= start();
      return await runIn(worker, store, touched);
    },
    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}

function runIn(
  worker: Worker,
  store: Store,
  touched: readonly Touched[],
): Promise<readonly Note[]> {
  const refusals = new Map<number, unknown>();
  const tell = (message: ToThread) => worker.postMessage(message);
  return new Promise((resolve, reject) => {
    const over = () => {
      worker.off('message', hear).off('error', fail).off('exit', leave);
    };
    const fail = (error: unknown) => {
      over();
      reject(error);
    };
    const leave = () => fail(new Error('the thread that derives large tasks ended'));
    const hear = (message: FromThread) => {
      if (message.kind === 'ask') {
        run(store, message.statement).then(
          (answer) => tell({ kind: 'answer', id: message.id, answer }),
          (error: unknown) => {
            refusals.set(message.id, error);
            tell({ kind: 'refused', id: message.id });
          },
        );
        return;
      }
      if (message.kind === 'failed') {
        // The store's own error: whoever repeats this tells errors apart.
        fail(refusals.get(message.statement ?? -1) ?? new Error(message.reason));
        return;
      }
      over();
      resolve(message.notes);
    };
    worker.on('message', hear).on('error', fail).on('exit', leave);
    tell({ kind: 'derive', touched });
  });
}

async function run({ client }: Store, given: Statement): Promise<string | Uint8Array> {
  const { how, query, params, format, values } = given;
  const statement = { query, ...(params === undefined ? {} : { query_params: { ...params } }) };
  if (how === 'command') {
    await client.command(statement);
    return '';
  }
  if (how === 'query') {
    const answer = await client.query({ ...statement, format: format ?? 'JSONEachRow' });
    return await answer.text();
  }
  const sent = values === undefined ? {} : { values: Readable.from(values) };
  const { stream } = await client.exec({ ...statement, ...sent });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
