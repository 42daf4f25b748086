import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The process that has an engine directory locked, or null. Linux lists file locks, and asking there first matters:
 * the engine prints its own multi-line error when it fails to lock, before any code of ours can shorten it.
 */
export async function lockOwner(engine: string): Promise<number | null> {
  try {
    const { ino } = await stat(join(engine, 'status'));
    for (const line of (await readFile('/proc/locks', 'utf8')).split('\n')) {
      // 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234567 0 EOF
      const lock = /\s(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line);
      if (lock?.[2] === String(ino) && Number(lock[1]) !== process.pid) return Number(lock[1]);
    }
  } catch {
    // No such file yet, or no such list on this system.
  }
  return null;
}

/** The living process that the engine's status file names, or null: what is left to ask once locking has failed. */
export async function statusOwner(engine: string): Promise<number | null> {
  try {
    const pid = Number(/PID: (\d+)/.exec(await readFile(join(engine, 'status'), 'utf8'))?.[1]);
    return pid !== process.pid && isAlive(pid) ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
