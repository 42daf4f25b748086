import type { Command, Terminal } from './cli/command.ts';
import { exit } from './cli/command.ts';
import { job } from './cli/job.ts';
import { journal, quarantine } from './cli/journal.ts';
import { key } from './cli/key.ts';
import { map } from './cli/map.ts';
import { why } from './cli/why.ts';
import { BadSetting, readConfig } from './config.ts';
import { JournalBusy } from './ingest/journal/lock.ts';
import type { Plumbline } from './serve.ts';
import { StoreBusy, StoreUnusable } from './store/connection.ts';
import { MappingsExhausted } from './store/mappings.ts';
import { MigrationError } from './store/migrate.ts';

const commands: readonly Command[] = [why, map, job, key, journal, quarantine];

const usage = [
  'plumbline               serve: OTLP on 4318 and (gRPC) 4317, API on 4320 (settings: see README)',
  ...commands.map((command) => command.usage),
].join('\n');

const terminal: Terminal = {
  config: readConfig,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

async function main(args: readonly string[]): Promise<number | undefined> {
  const [first = 'serve', ...rest] = args;
  if (first === 'serve' && rest.length === 0) return serve();
  for (const command of commands) {
    const code = await command.run(args, terminal);
    if (code !== undefined) return code;
  }
  const asked = first === 'help' || first === '--help';
  terminal[asked ? 'out' : 'err'](`${usage}\n`);
  return asked ? 0 : exit.usage;
}

async function serve(): Promise<undefined> {
  // Commands that only ask start in half of the time without the server's modules.
  const { start } = await import('./serve.ts');
  const plumbline = await start(readConfig());
  console.log(
    `Plumbline takes OTLP at ${plumbline.urls.otlp} and answers at ${plumbline.urls.api}`,
  );
  closeOnSignal(plumbline);
}

/** SIGTERM and SIGINT drain: what was acked is stored before the process ends. A second one ends it at once. */
function closeOnSignal(plumbline: Plumbline): void {
  let closing = false;
  const close = async () => {
    if (closing) process.exit(130);
    closing = true;
    await plumbline.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void close());
}

const known = [StoreBusy, StoreUnusable, MigrationError, JournalBusy, MappingsExhausted];

/** A cause that a person can mend gets one block of text, never a stack trace. */
function explain(
  error: unknown,
  [first = 'serve', ...rest]: readonly string[],
): string | undefined {
  if (error instanceof BadSetting) return error.message;
  if (!(error instanceof Error)) return undefined;
  const what =
    first === 'serve' ? 'Plumbline cannot start' : ['plumbline', first, ...rest].join(' ');
  if (known.some((kind) => error instanceof kind)) return `${what}: ${error.message}`;
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
