import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type LogFile, openLogFile } from './log-file.ts';
import type { WorkerOptions } from './messages.ts';
import { type Entry, readStretch } from './reader.ts';
import { encodeHeader } from './record.ts';

const cleanup: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'));
  cleanup.push(() => rm(directory, { recursive: true }));
  return directory;
}

function open(directory: string, options: Partial<WorkerOptions> = {}): LogFile {
  const file = openLogFile({
    directory,
    segmentBytes: 1e6,
    maxBytes: 1e9,
    keepMs: 600_000,
    ...options,
  });
  cleanup.push(async () => file.close());
  return file;
}

/** Appends one record per text, each with its own sync; the positions behind them. */
function store(file: LogFile, ...texts: readonly (string | Buffer)[]): number[] {
  return texts.map((text) => {
    const body = Buffer.from(text);
    const header = encodeHeader({
      signal: 'traces',
      encoding: 'json',
      compression: 'none',
      project: 'default',
      receivedAt: 0,
      body,
    });
    return file.append([{ header, body }]);
  });
}

function readAll(directory: string, file: LogFile, end: number, from = 0): Entry[] {
  const entries: Entry[] = [];
  for (let at = from; at < end; ) {
    const stretch = readStretch({ directory, bases: file.bases(), end }, at, 256);
    entries.push(...stretch.entries);
    at = stretch.next;
  }
  return entries;
}

const texts = (entries: readonly Entry[]) =>
  entries.map(({ record: { body } }) => Buffer.from(body).toString());

const files = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.journal'))
    .sort()
    .map((name) => join(directory, name));

describe('journal files', () => {
  it('join their positions end to end, over segments too', () => {
    const directory = newDirectory();
    const file = open(directory, { segmentBytes: 100 });
    const names = Array.from({ length: 10 }, (_, i) => `record ${i}`);
    const ends = store(file, ...names);
    const end = ends.at(-1)!;
    const entries = readAll(directory, file, end);
    expect(texts(entries)).toEqual(names);
    expect(entries.map(({ next }) => next)).toEqual(ends);
    expect(entries.slice(1).map(({ position }) => position)).toEqual(ends.slice(0, -1));
    expect(files(directory).length).toBeGreaterThan(3);
    expect(texts(readAll(directory, file, end, ends[6]))).toEqual(names.slice(7));
  });

  it('give back a record that is larger than asked for', () => {
    const directory = newDirectory();
    const file = open(directory);
    const large = 'x'.repeat(100_000);
    const ends = store(file, large, 'small', '');
    expect(texts(readAll(directory, file, ends.at(-1)!))).toEqual([large, 'small', '']);
  });

  it('never use a position twice, even when segments were removed by hand', async () => {
    const directory = newDirectory();
    const file = open(directory);
    const [end] = store(file, 'done');
    file.checkpoint(end!);
    file.close();
    await rm(files(directory)[0]!);
    expect(open(directory).opened.end).toBe(end);
  });

  it('know no checkpoint when it cannot be read', () => {
    const directory = newDirectory();
    const file = open(directory);
    file.checkpoint(store(file, 'done')[0]!);
    file.close();
    writeFileSync(join(directory, 'checkpoint'), 'garbage');
    expect(open(directory).opened.checkpoint).toBe(0);
  });

  it('go once they are checkpointed and old, except the last', () => {
    const directory = newDirectory();
    const file = open(directory, { segmentBytes: 1, keepMs: 60_000 });
    const ends = store(file, 'one', 'two', 'three', 'four');
    const [one, two, three, four] = files(directory);
    const anHourAgo = Date.now() / 1000 - 3600;
    for (const path of [one!, two!, four!]) utimesSync(path, anHourAgo, anHourAgo);
    file.checkpoint(ends[0]!);
    expect(files(directory)).toEqual([two, three, four]);
    file.checkpoint(ends[3]!);
    expect(files(directory)).toEqual([three, four]);
    utimesSync(three!, anHourAgo, anHourAgo);
    file.checkpoint(ends[3]!);
    expect(existsSync(four!)).toBe(true);
    expect(file.bases()).toEqual([ends[2]]);
  });

  it('go at once when the disk is full, and give way to what comes', () => {
    const directory = newDirectory();
    const file = open(directory, { segmentBytes: 1 });
    const ends = store(file, 'one', 'two', 'not done');
    file.checkpoint(ends[1]!);
    expect(files(directory)).toHaveLength(3);
    const next = join(directory, `${String(ends[2]).padStart(16, '0')}.journal`);
    symlinkSync('/dev/full', next);
    expect(() => store(file, 'no room')).toThrow('ENOSPC');
    unlinkSync(next);
    expect(files(directory)).toHaveLength(1);
    const [end] = store(file, 'room');
    expect(texts(readAll(directory, file, end!, ends[1]))).toEqual(['not done', 'room']);
  });

  it('go early when space is short, but never before the checkpoint', () => {
    const directory = newDirectory();
    const file = open(directory, { segmentBytes: 1, maxBytes: 1 });
    const ends = store(file, 'one', 'two', 'three');
    file.checkpoint(0);
    expect(files(directory)).toHaveLength(3);
    file.checkpoint(ends[1]!);
    expect(files(directory)).toHaveLength(1);
  });
});

describe('damaged journal files', () => {
  it('lose a torn tail, wherever it was torn, and go on behind the last whole record', () => {
    const source = newDirectory();
    const [whole] = store(open(source), 'whole', 'torn');
    const bytes = readFileSync(files(source)[0]!);
    for (let length = whole! + 1; length < bytes.length; length += 1) {
      const directory = newDirectory();
      writeFileSync(join(directory, '0000000000000000.journal'), bytes.subarray(0, length));
      const file = open(directory);
      expect(file.opened).toMatchObject({ end: whole, tornBytes: length - whole! });
      const [end] = store(file, 'new');
      expect(texts(readAll(directory, file, end!))).toEqual(['whole', 'new']);
    }
  });

  it('keep the records behind a damaged one, and count the damage', () => {
    const directory = newDirectory();
    const ends = store(open(directory), 'one', 'two', 'three');
    const [path] = files(directory);
    const bytes = readFileSync(path!);
    for (let at = ends[0]!; at < ends[1]!; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      writeFileSync(path!, damaged);
      const file = open(directory);
      const end = ends[2]!;
      expect(file.opened).toMatchObject({ end, tornBytes: 0 });
      const stretch = readStretch({ directory, bases: file.bases(), end }, 0, 10_000);
      // The seven spare bytes of the header are under the checksum too.
      expect(texts(stretch.entries)).toEqual(['one', 'three']);
      expect(stretch.damagedBytes).toBe(ends[1]! - ends[0]!);
    }
  });

  it('never pass off a copy of a record inside a body as a record', () => {
    const source = newDirectory();
    store(open(source), 'bait');
    const bait = readFileSync(files(source)[0]!);

    const directory = newDirectory();
    store(open(directory), Buffer.concat([bait, Buffer.from('tail')]));
    const [path] = files(directory);
    writeFileSync(path!, readFileSync(path!).subarray(0, -1));
    expect(open(directory).opened.end).toBe(0);
  });
});
