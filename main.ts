import { BadSetting, readConfig } from './config.ts';
import { JournalBusy } from './ingest/journal/lock.ts';
import { storageCommand } from './journal-command.ts';
import { keyCommand, keyUsage } from './key-command.ts';
import { rangeOf, runJob } from './maintenance.ts';
import { mapExplain } from './map-command.ts';
import { type Plumbline, start } from './serve.ts';
import { StoreBusy, StoreUnusable } from './store/connection.ts';
import { MigrationError } from './store/migrate.ts';
import { why } from './why.ts';

const usage = `plumbline               serve: OTLP on 4318 and (gRPC) 4317, API on 4320 (settings: see README)
plumbline why <task>    explain a task of a running Plumbline
plumbline map explain <otlp file> [--json]
                        how the mapping reads spans and log records: conventions, sources of fields, what stays raw
plumbline remap --from <time> [--to <time>]
                        reads what is stored again by the mapping in use; 'rebuild' derives its tasks again
${keyUsage}
                        a new API key, and its line for the file of PLUMBLINE_KEYS
plumbline journal       what is on disk: segments, checkpoint, what waits; 'journal replay' stores it all again
plumbline quarantine    acked requests that the store refused; 'quarantine retry' tries them again`;

/** EX_CONFIG of sysexits.h: the settings, not the program, have to change. */
const badConfig = 78;

async function main([command = 'serve', ...rest]: readonly string[]): Promise<number | undefined> {
  if (command === 'serve' && rest.length === 0) return serve();
  const [task] = rest;
  if (command === 'why' && task !== undefined && rest.length === 1) {
    const { host, port } = readConfig();
    const answer = await why(`http://${host}:${port}`, task);
    process[answer.ok ? 'stdout' : 'stderr'].write(answer.text);
    return answer.ok ? 0 : 1;
  }
  if (command === 'map' && rest[0] === 'explain') {
    const code = await mapExplain(rest.slice(1));
    if (code !== undefined) return code;
  }
  if (command === 'remap' || command === 'rebuild') {
    const range = rangeOf(rest);
    const { host, port, apiKey } = readConfig();
    const api = { url: `http://${host}:${port}`, key: apiKey };
    const write = (text: string) => process.stderr.write(text);
    if (range !== null) return runJob(api, command, range, write);
  }
  const key = keyCommand([command, ...rest]);
  if (key !== undefined) {
    process.stdout.write(key);
    return 0;
  }
  if (await storageCommand([command, ...rest], readConfig, console.log)) return 0;
  console.error(usage);
  return command === 'help' || command === '--help' ? 0 : 64;
}

async function serve(): Promise<undefined> {
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

const known = [StoreBusy, StoreUnusable, MigrationError, JournalBusy];

/** A cause that a person can mend gets one block of text, never a stack trace. */
function explain(error: unknown): string | undefined {
  if (error instanceof BadSetting) return error.message;
  if (!(error instanceof Error)) return undefined;
  if (known.some((kind) => error instanceof kind))
    return `Plumbline cannot start: ${error.message}`;
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `Plumbline cannot start: ${error.message}. Set PLUMBLINE_PORT, PLUMBLINE_OTLP_PORT and PLUMBLINE_GRPC_PORT, or stop the other process.`;
  }
  return undefined;
}

try {
  const code = await main(process.argv.slice(2));
  if (code !== undefined) process.exitCode = code;
} catch (error) {
  const text = explain(error);
  console.error(text ?? error);
  process.exit(text === undefined ? 1 : badConfig);
}
