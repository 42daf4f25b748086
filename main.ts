import { type Command, exit, type Terminal } from './cli/command.ts';
import { BadSetting, readConfig } from './config.ts';
import type { Plumbline, Service } from './serve/serve.ts';

// By the word they begin with, each loaded when it is asked for: `plumbline why` answers in half a second.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  why: async () => (await import('./cli/why.ts')).why,
  map: async () => (await import('./cli/map.ts')).map,
  remap: async () => (await import('./cli/job.ts')).job,
  rebuild: async () => (await import('./cli/job.ts')).job,
  key: async () => (await import('./cli/key.ts')).key,
  journal: async () => (await import('./cli/journal.ts')).journal,
  quarantine: async () => (await import('./cli/journal.ts')).quarantine,
};

const terminal: Terminal = {
  config: readConfig,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

async function main(args: readonly string[]): Promise<number | undefined> {
  const [first = 'serve', ...rest] = args;
  if (rest.length === 0 && first === 'serve') return serve();
  if (rest.length === 0 && (first === 'ingest' || first === 'query')) return serve(first);
  const load = Object.hasOwn(commands, first) ? commands[first] : undefined;
  const code = await (await load?.())?.run(args, terminal);
  if (code !== undefined) return code;
  const asked = first === 'help' || first === '--help';
  terminal[asked ? 'out' : 'err'](await usage());
  return asked ? 0 : exit.usage;
}

async function usage(): Promise<string> {
  const known = new Set(await Promise.all(Object.values(commands).map((load) => load())));
  return [
    'plumbline               serve: OTLP on 4318 and (gRPC) 4317, API on 4320 (settings: see README)\n',
    'plumbline ingest|query  one of the two alone, beside others on the same CLICKHOUSE_URL\n',
    ...[...known].map((command) => `${command.usage}\n`),
  ].join('');
}

async function serve(only?: Service): Promise<undefined> {
  const { start } = await import('./serve/serve.ts');
  const plumbline = await start(readConfig(), only);
  const { otlp, api } = plumbline.urls;
  const takes = otlp === null ? [] : [`takes OTLP at ${otlp}`];
  const answers = only === 'ingest' ? `tells its health at ${api}` : `answers at ${api}`;
  console.log(`Plumbline ${[...takes, answers].join(' and ')}`);
  closeOnSignal(plumbline);
}

/** SIGTERM and SIGINT drain: what was acked is stored before the process ends. A second one ends it at once. */
function closeOnSignal(plumbline: Plumbline<string | null>): void {
  let closing = false;
  const close = async () => {
    if (closing) process.exit(130);
    closing = true;
    await plumbline.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void close());
}

// By name: their modules are the engine's and the journal's, which most commands do not load.
const known = new Set([
  'StoreBusy',
  'StoreUnusable',
  'MigrationError',
  'JournalBusy',
  'MappingsExhausted',
]);

const services = new Set(['serve', 'ingest', 'query']);

/** A cause that a person can mend gets one block of text, never a stack trace. */
function explain(
  error: unknown,
  [first = 'serve', ...rest]: readonly string[],
): string | undefined {
  if (error instanceof BadSetting) return error.message;
  if (!(error instanceof Error)) return undefined;
  const what = services.has(first)
    ? 'Plumbline cannot start'
    : ['plumbline', first, ...rest].join(' ');
  if (known.has(error.name)) return `${what}: ${error.message}`;
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `${what}: ${error.message}. Set PLUMBLINE_PORT, PLUMBLINE_OTLP_PORT and PLUMBLINE_GRPC_PORT, or stop the other process.`;
  }
  return undefined;
}

const args = process.argv.slice(2);
try {
  const code = await main(args);
  if (code !== undefined) process.exitCode = code;
} catch (error) {
  const text = explain(error, args);
  console.error(text ?? error);
  process.exit(text === undefined ? 1 : exit.config);
}
