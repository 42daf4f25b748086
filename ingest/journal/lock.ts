import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/**
 * Takes the directory for this process. Node has no flock: the lock is a file that names its owner by process id, start
 * time and boot of the machine, so that neither a crash nor a reused id leaves it locked.
 *
 * @throws JournalBusy when a living process holds it.
 */
export function lock(directory: string): Lock {
  const path = join(directory, 'lock');
  const own = `${process.pid} ${startTime(process.pid)} ${bootId()}`;
  let crashed = false;
  try {
    claim(path, own);
  } catch (cause) {
    if (!isCode(cause, 'EEXIST')) throw cause;
    const [holder = '', start = '', boot = ''] = readFileSync(path, 'utf8').split(' ');
    const pid = Number.parseInt(holder, 10);
    crashed = boot !== '' && boot !== bootId();
    if (!crashed && pid > 0 && isAlive(pid) && start === startTime(pid)) {
      throw new JournalBusy(`the journal ${directory} is in use by process ${pid}`, { cause });
    }
    unlinkSync(path);
    claim(path, own);
  }
  return {
    crashed,
    unlock() {
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

function claim(path: string, own: string): void {
  const fd = openSync(path, 'wx');
  writeFileSync(fd, own);
  closeSync(fd);
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
