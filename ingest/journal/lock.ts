import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process writes to the journal's directory. Its message is one line for a user. */
export class JournalBusy extends Error {
  override readonly name = 'JournalBusy';
}

/**
 * Takes the directory for this process and returns what gives it back. Node has no flock: the lock is a file that names
 * its owner by process id and start time, so that neither a crash nor a reused id leaves it locked.
 *
 * @throws JournalBusy when a living process holds it.
 */
export function lock(directory: string): () => void {
  const path = join(directory, 'lock');
  const own = `${process.pid} ${startTime(process.pid)}`;
  try {
    claim(path, own);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    const holder = readFileSync(path, 'utf8');
    const pid = Number.parseInt(holder, 10);
    if (pid > 0 && isAlive(pid) && holder === `${pid} ${startTime(pid)}`) {
      throw new JournalBusy(`the journal ${directory} is in use by process ${pid}`, { cause });
    }
    unlinkSync(path);
    claim(path, own);
  }
  return () => unlinkSync(path);
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
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
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
