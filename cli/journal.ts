import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BadSetting, type Config } from '../config.ts';
import { inspectJournal, rewindJournal } from '../ingest/journal/inspect.ts';
import { listQuarantine, removeKept } from '../ingest/quarantine.ts';
import { type Command, usage } from './command.ts';
import { offline } from './offline.ts';

type Print = (line: string) => void;

/** `plumbline journal`: what is on disk, also while Plumbline runs. `replay` wants Plumbline stopped. */
export const journal: Command = {
  usage: usage(
    'plumbline journal',
    "what is on disk: segments, checkpoint, what waits; 'journal replay' stores it all again",
  ),
  run: among('journal', { '': showJournal, replay: replayJournal }),
};

/** `plumbline quarantine`: acked requests that the store refused. `retry` wants Plumbline stopped. */
export const quarantine: Command = {
  usage: usage(
    'plumbline quarantine',
    "acked requests that the store refused; 'quarantine retry' tries them again",
  ),
  run: among('quarantine', { '': listKept, list: listKept, retry: retryKept }),
};

type Verb = (config: Config, print: Print) => Promise<void> | void;

function among(noun: string, verbs: Readonly<Record<string, Verb>>): Command['run'] {
  return async ([command, name = '', ...rest], { config, out }) => {
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (command !== noun || verb === undefined || rest.length > 0) return undefined;
    await verb(config(), (line) => out(`${line}\n`));
    return 0;
  };
}

function showJournal({ data }: Config, print: Print): void {
  const directory = join(data, 'journal');
  const { segments, checkpoint, end, waiting, oldest, damagedBytes } = inspectJournal(directory);
  print(`journal     ${directory}`);
  for (const { base, bytes, modifiedAt } of segments) {
    const state = base + bytes <= checkpoint ? 'done' : 'open';
    print(`segment     ${base}  ${bytes} bytes  ${state}  written ${modifiedAt.toISOString()}`);
  }
  const requests = Object.entries(waiting).map(([signal, count]) => `${count} ${signal}`);
  const age = oldest === null ? '' : `, oldest received ${oldest.toISOString()}`;
  print(`checkpoint  ${checkpoint} of ${end}: ${end - checkpoint} bytes to store`);
  print(`waiting     requests: ${requests.join(', ')}${age}`);
  if (damagedBytes > 0) print(`damaged     ${damagedBytes} bytes cannot be read`);
}

/** Stores and derives again whatever the journal still has. */
async function replayJournal(config: Config, print: Print): Promise<void> {
  const directory = join(config.data, 'journal');
  if (!existsSync(directory)) {
    throw new BadSetting(`There is no journal at ${directory}. Is PLUMBLINE_DATA right?`);
  }
  await rewindJournal(directory);
  await offline(config, async ({ ingest }) => {
    await ingest.drained();
    const { quarantine, journal } = ingest.stats();
    print(`replayed ${journal.diskBytes} bytes; in quarantine: ${quarantine.requests} requests`);
  });
}

function listKept({ data }: Config, print: Print): void {
  const directory = join(data, 'journal', 'quarantine');
  let kept = 0;
  for (const { name, record, why } of listQuarantine(directory, (bad) =>
    print(`${bad}  damaged`),
  )) {
    kept += 1;
    const { signal, project, receivedAt, body } = record;
    const received = new Date(receivedAt).toISOString();
    print(`${name}  ${signal}  ${body.length} bytes  project ${project}  ${received}  ${why}`);
  }
  print(`${kept} requests in quarantine`);
}

/**
 * Sends what is kept through ingest again. Each request leaves the quarantine only once it is durable in the journal;
 * what the store refuses again comes back.
 */
async function retryKept(config: Config, print: Print): Promise<void> {
  const directory = join(config.data, 'journal', 'quarantine');
  await offline(config, async ({ ingest }) => {
    let taken = 0;
    for (const { name, record } of [...listQuarantine(directory, () => undefined)]) {
      // A copy: the journal's thread takes the buffer over.
      const outcome = await ingest.accept({ ...record, body: new Uint8Array(record.body) });
      if (outcome.kind === 'accepted' || outcome.kind === 'partial') {
        removeKept(directory, name);
        taken += 1;
      } else print(`${name}  stays: ${outcome.message}`);
    }
    await ingest.drained();
    const left = [...listQuarantine(directory, () => undefined)].length;
    print(`${taken} requests tried again, ${left} in quarantine now`);
  });
}
