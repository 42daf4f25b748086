import {
  closeSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another process writes to the journal's directory. Its message is one line for a user. */
export class JournalBusy extends Error {
  override readonly name = 'JournalBusy';
}

/** A directory taken for this process. */
export interface Lock {
  /** The machine went down while a process had the directory: what was not synced then may be lost. */
  readonly crashed: boolean;
  /** Gives the directory back; nothing happens when somebody took the lock away. */
  unlock(): void;
}

/** Whoever holds the lock touches it this often. */
const beatMs = 1000;
/** A holder that cannot be looked up is given so long to do so. */
const silenceMs = 6000;
/** Longer ago than this, nobody needs to wait for it. */
const forgottenMs = 60_000;

/**
 * Takes the directory for this process. Node has no flock: the lock is a file that names its owner by process id, start
 * time, boot of the machine and namespace of process ids, so that neither a crash nor a reused id leaves it locked. An
 * owner of another container or machine that shares the volume cannot be looked up, and shows that it lives by touching
 * the file.
 *
 * @throws JournalBusy when a living process holds it.
 */
export async function lock(directory: string): Promise<Lock> {
  const path = `${directory}/lock`;
  const own = [process.pid, startTime(process.pid), bootId(), pidNamespace()].join(' ');
  let crashed = false;
  for (let tries = 0; !claim(path, own); tries += 1) {
    const left = await contentOf(path);
    if (left === undefined) continue;
    const [holder = ''] = left.split(' ');
    const isTaken = (await isHeld(path, left)) || !removeLeft(path, left);
    if (isTaken || tries > 3) {
      throw new JournalBusy(`the journal ${directory} is in use by process ${holder}`);
    }
    crashed ||= bootOf(left) !== '' && bootOf(left) !== bootId();
  }
  const beat = setInterval(() => touch(path), beatMs).unref();
  return {
    crashed,
    unlock() {
      clearInterval(beat);
      try {
        if (readFileSync(path, 'utf8') === own) unlinkSync(path);
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error;
      }
    },
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function claim(path: string, own: string): boolean {
  try {
    const fd = openSync(path, 'wx');
    writeFileSync(fd, own);
    closeSync(fd);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Undefined when the file is gone. Another process may be about to write it: then there is nothing in it yet. */
async function contentOf(path: string): Promise<string | undefined> {
  try {
    const content = readFileSync(path, 'utf8');
    if (content !== '') return content;
    await sleep(300);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function bootOf(content: string): string {
  return content.split(' ')[2] ?? '';
}

async function isHeld(path: string, content: string): Promise<boolean> {
  const [holder = '', start = '', boot = '', namespace = pidNamespace()] = content.split(' ');
  if (boot !== bootId() || namespace !== pidNamespace()) return isTouched(path);
  const pid = Number.parseInt(holder, 10);
  return pid > 0 && isAlive(pid) && start === startTime(pid);
}

async function isTouched(path: string): Promise<boolean> {
  const first = touchedAt(path);
  if (first === undefined || Date.now() - first > forgottenMs) return false;
  for (let waited = 0; waited < silenceMs; waited += beatMs / 4) {
    await sleep(beatMs / 4);
    if (touchedAt(path) !== first) return true;
  }
  return false;
}

function touchedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Whoever took it away has a reason, and a full disk takes a time too.
  }
}

/** Removes a lock that nobody holds; false, and nothing removed, when it is not the one that was looked at any more. */
function removeLeft(path: string, left: string): boolean {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return true;
    throw error;
  }
  const isSame = readFileSync(aside, 'utf8') === left;
  // Two starting at once: the other one was quicker, and what was moved is its own.
  if (isSame) rmSync(aside);
  else renameSync(aside, path);
  return isSame;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/** Start time in clock ticks since boot (field 22 of Linux's stat), or '' elsewhere. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command's name in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** What differs from one boot of the machine to the next, '' where nothing is known of that. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Every container has its own; '' where nothing is known of that. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
