import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { type Journal, type JournalOptions, openJournal } from './journal.ts';
import { JournalBusy, lock } from './lock.ts';
import type { Entry } from './reader.ts';
import type { JournalRecord } from './record.ts';

const cleanup: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  cleanup.push(() => rm(directory, { recursive: true }));
  return directory;
}

const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

async function open(options: JournalOptions): Promise<Journal> {
  const journal = await openJournal(options);
  cleanup.push(() => journal.close());
  return journal;
}

function record(text: string, fields: Partial<JournalRecord> = {}): JournalRecord {
  return {
    signal: 'traces',
    encoding: 'json',
    compression: 'none',
    project: 'default',
    receivedAt: 1_748_779_200_000,
    body: Buffer.from(text),
    ...fields,
  };
}

async function store(journal: Journal, text: string) {
  const appended = await journal.append(record(text));
  if (appended.kind !== 'stored') throw new Error(`not stored: ${appended.why}`);
  return appended;
}

function readAll(journal: Journal, from = journal.checkpointed): Entry[] {
  const entries: Entry[] = [];
  for (let at = from; at < journal.end; ) {
    const stretch = journal.read(at, 1024);
    entries.push(...stretch.entries);
    at = stretch.next;
  }
  return entries;
}

const texts = (entries: readonly Entry[]) =>
  entries.map(({ record: { body } }) => Buffer.from(body).toString());

describe('a journal', () => {
  it('gives back after a restart what it stored, in order', async () => {
    const directory = newDirectory();
    const first = await openJournal({ directory });
    const records = [
      record('{"a":1}'),
      record('bytes', { encoding: 'protobuf', compression: 'gzip', project: 'prøject' }),
      record('', { signal: 'logs', compression: 'deflate' }),
    ];
    const bodies = records.map(({ body }) => Buffer.from(body));
    const appended = await Promise.all(records.map((one) => first.append(one)));
    expect(appended.map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored']);
    await first.close();

    const second = await open({ directory });
    expect(second.openedAt).toBe(first.end);
    expect(second.id).not.toBe(first.id);
    expect(readAll(second).map((entry) => entry.record)).toEqual(
      records.map((one, i) => ({ ...one, body: bodies[i] })),
    );
  });

  it('starts behind its checkpoint', async () => {
    const directory = newDirectory();
    const first = await openJournal({ directory });
    const { next } = await store(first, 'done');
    await store(first, 'not done');
    first.checkpoint(next);
    await first.close();
    const second = await open({ directory });
    expect(second.checkpointed).toBe(next);
    expect(texts(readAll(second))).toEqual(['not done']);
  });

  it('starts at the oldest segment kept after the machine went down, but not after a killed process', async () => {
    const directory = newDirectory();
    const journal = await open({ directory });
    const { position } = await store(journal, 'done');
    journal.checkpoint(journal.end);
    await journal.close();
    const startsAfter = async (left: string) => {
      writeFileSync(join(directory, 'lock'), left);
      utimesSync(join(directory, 'lock'), 0, 0);
      const again = await open({ directory });
      const { checkpointed } = again;
      await again.close();
      return checkpointed;
    };
    expect(await startsAfter(`${process.pid} 1 ${bootId()}`)).toBe(journal.end);
    expect(await startsAfter(`${process.pid} 1 another-boot`)).toBe(position);
  });

  it('is busy when full, and takes more once the checkpoint moves', async () => {
    const journal = await open({ directory: newDirectory(), maxBytes: 1000 });
    const { next } = await store(journal, 'x'.repeat(400));
    await store(journal, 'x'.repeat(400));
    expect(await journal.append(record('x'.repeat(400)))).toEqual({ kind: 'busy', why: 'full' });
    expect(journal.stats().bytes).toBe(journal.end);
    journal.checkpoint(next);
    await store(journal, 'x'.repeat(400));
  });

  it('is busy once it closes, having stored what came before', async () => {
    const directory = newDirectory();
    const journal = await openJournal({ directory });
    const before = journal.append(record('before'));
    const closed = journal.close();
    expect(await journal.append(record('after'))).toEqual({ kind: 'busy', why: 'closing' });
    await closed;
    expect((await before).kind).toBe('stored');
    expect(texts(readAll(await open({ directory })))).toEqual(['before']);
  });

  it('has one owner', async () => {
    const directory = newDirectory();
    await open({ directory });
    await expect(openJournal({ directory })).rejects.toThrow(JournalBusy);
  });

  it('takes over the lock of a process that is gone', async () => {
    const directory = newDirectory();
    // The start time tells a reused process id from its former owner.
    writeFileSync(join(directory, 'lock'), `${process.pid} 1 ${bootId()}`);
    await store(await open({ directory }), 'mine');
  });

  it('is left to a process of another container or machine as long as that shows that it lives', async () => {
    const directory = newDirectory();
    const path = join(directory, 'lock');
    for (const left of [`1 1 ${bootId()} pid:[1]`, '1 1 another-boot pid:[1]']) {
      writeFileSync(path, left);
      const beat = setInterval(() => utimesSync(path, new Date(), new Date()), 200);
      await expect(openJournal({ directory })).rejects.toThrow(/in use by process 1$/);
      clearInterval(beat);
      expect(readFileSync(path, 'utf8')).toBe(left);
    }
  });

  it('shows that it lives', async () => {
    const directory = newDirectory();
    await open({ directory });
    const touched = () => statSync(join(directory, 'lock')).mtimeMs;
    const first = touched();
    await expect.poll(touched, { timeout: 5000 }).toBeGreaterThan(first);
  });

  it('goes to one of two that find a lock left behind', async () => {
    const directory = newDirectory();
    writeFileSync(join(directory, 'lock'), `${process.pid} 1 ${bootId()}`);
    const both = await Promise.allSettled([lock(directory), lock(directory)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const one of both) if (one.status === 'fulfilled') one.value.unlock();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('closes although its lock is gone, and leaves that of another process alone', async () => {
    const directory = newDirectory();
    const first = await open({ directory });
    rmSync(join(directory, 'lock'));
    await first.close();
    const second = await open({ directory });
    writeFileSync(join(directory, 'lock'), '1 1 other');
    await second.close();
    expect(readFileSync(join(directory, 'lock'), 'utf8')).toBe('1 1 other');
  });
});

describe('a damaged journal', () => {
  it('holds every record whose append resolved before kill -9', async () => {
    const directory = newDirectory();
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=app-source', '--input-type=module', '-e', appendForever],
      { env: { ...process.env, DIRECTORY: directory }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const acked: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      acked.push(line);
      if (acked.length === 300) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(acked.length).toBeGreaterThanOrEqual(300);
    const stored = new Set(texts(readAll(await open({ directory }))));
    expect(acked.filter((text) => !stored.has(text))).toEqual([]);
  });

  it('stores nothing of a write that fails half-way, and goes on in a new segment', async () => {
    const directory = newDirectory();
    const child = spawn(
      'sh',
      // The limit of a file's size, in blocks of 512 bytes, stands in for a full disk.
      [
        '-c',
        'ulimit -f 16; exec "$0" "$@"',
        process.execPath,
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        appendEight,
      ],
      { env: { ...process.env, DIRECTORY: directory }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(line);
    expect(lines).toEqual([
      'stored',
      'stored',
      'busy disk',
      'stored',
      'stored',
      'busy disk',
      'stored',
      'stored',
    ]);
    const journal = await open({ directory });
    expect(texts(readAll(journal)).map((text) => text[0])).toEqual(['0', '1', '3', '4', '6', '7']);
    expect(journal.stats().tornBytes).toBe(0);
  });
});

const journalUrl = JSON.stringify(new URL('./journal.ts', import.meta.url).href);

const childStart = `
  const { openJournal } = await import(${journalUrl});
  const journal = await openJournal({ directory: process.env.DIRECTORY, segmentBytes: 5000 });
  const append = (text) => journal.append({
    signal: 'traces', encoding: 'json', compression: 'none', project: 'p', receivedAt: 0,
    body: Buffer.from(text),
  });`;

const appendForever = `${childStart}
  const client = async (name) => {
    for (let i = 0; ; i += 1) {
      const text = name + i;
      if ((await append(text)).kind === 'stored') process.stdout.write(text + '\\n');
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(client));`;

const appendEight = `${childStart.replace('5000', '1e9')}
  for (let i = 0; i < 8; i += 1) {
    const { kind, why } = await append(i + 'x'.repeat(3500));
    console.log(kind, ...(why ? [why] : []));
  }
  await journal.close();`;
