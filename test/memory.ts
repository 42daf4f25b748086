import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

// A file system in memory, where there is one: the suite is some ten thousand small inserts, each fsynced, and waited for
// a disk half of its time. What fsync is for is tested by `npm run test:faults`, on a disk.
const memory = '/dev/shm';
const enough = 4 * 1024 ** 3;

/** Has temporary directories made in memory while the suite runs, if there is room. */
export default function setup(): (() => void) | undefined {
  if (free() < enough) return undefined;
  const directory = mkdtempSync(join(memory, 'plumbline-'));
  process.env['TMPDIR'] = directory;
  return () => rmSync(directory, { recursive: true, force: true });
}

function free(): number {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
