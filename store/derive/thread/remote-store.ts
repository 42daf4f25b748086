import type { MessagePort } from 'node:worker_threads';
import type { Store } from '../../connection.ts';
import type { FromThread, Home, Statement, ToThread } from './messages.ts';

/** The main thread could not run a statement; it knows why. */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused';
  readonly id: number;
  constructor(id: number) {
    super('the store refused a statement');
    this.id = id;
  }
}

/** The part of the client that reading and writing of derivations uses. */
interface Client {
  query(given: Given & { readonly format: Statement['format'] }): Promise<{ json(): unknown }>;
  command(given: Given): Promise<void>;
  exec(given: Given & { readonly values?: AsyncIterable<Uint8Array> }): Promise<{
    readonly stream: readonly Buffer[];
  }>;
}

interface Given {
  readonly query: string;
  readonly query_params?: Readonly<Record<string, unknown>>;
}

/** A store whose statements the main thread runs. Answers come as text or bytes: what is parsed here does not hold it up. */
export function remoteStore(port: MessagePort, home: Home): Store {
  const waiting = new Map<number, (answer: ToThread) => void>();
  let count = 0;
  port.on('message', (message: ToThread) => {
    if (message.kind !== 'derive') waiting.get(message.id)?.(message);
  });

  async function ask(statement: Statement): Promise<string | Uint8Array> {
    const id = count++;
    const answered = new Promise<ToThread>((resolve) => waiting.set(id, resolve));
    port.postMessage({ kind: 'ask', id, statement } satisfies FromThread);
    const answer = await answered;
    waiting.delete(id);
    if (answer.kind !== 'answer') throw new StatementRefused(id);
    return answer.answer;
  }

  const client: Client = {
    async query({ query, query_params: params, format }) {
      const text = await ask({ how: 'query', query, params, format });
      return { json: () => lines(String(text)) };
    },
    async command({ query, query_params: params }) {
      await ask({ how: 'command', query, params });
    },
    async exec({ query, query_params: params, values }) {
      const blocks: Uint8Array[] = [];
      for await (const block of values ?? []) blocks.push(block);
      const sent = values === undefined ? {} : { values: blocks };
      const bytes = await ask({ how: 'exec', query, params, ...sent });
      if (typeof bytes === 'string') return { stream: [] };
      return { stream: [Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)] };
    },
  };
  // The client has more than this, which no derivation uses.
  return { client: client as unknown as Store['client'], ...home, close: async () => {} };
}

function lines(text: string): unknown[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
}
