import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of a few MiB mounted at a directory, that something else can fill. */
export interface SmallDisk {
  /** What a command begins with that has to see the disk. */
  readonly prefix: readonly string[];
  /** Takes all the space there is. */
  fill(): void;
  /** Gives it back. */
  clear(): void;
  release(): void;
}

/**
 * Mounts a tmpfs, in a namespace of its own where the user may not mount: then only commands with the prefix see it.
 * Null where neither can be done.
 */
export async function mountSmallDisk(path: string, mib: number): Promise<SmallDisk | null> {
  const args = ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', path];
  if (spawnSync('mount', args, { stdio: 'ignore' }).status === 0) {
    const release = () => execFileSync('umount', ['--lazy', path]);
    return { ...ballastAt(path), prefix: [], release };
  }
  const holder = spawn(
    'unshare',
    [
      ...['--user', '--map-root-user', '--mount', 'sh', '-c'],
      ...['mount "$@" && echo mounted && exec sleep 1000000', 'sh', ...args],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const answers = [once(holder.stdout, 'data'), once(holder, 'exit'), once(holder, 'error')];
  await Promise.race(answers.map((answer) => answer.catch(() => undefined)));
  if (holder.pid === undefined || holder.exitCode !== null) return null;
  const { pid } = holder;
  const end = () => holder.kill('SIGKILL');
  process.once('exit', end);
  return {
    ...ballastAt(`/proc/${pid}/root${path}`),
    prefix: ['nsenter', '--preserve-credentials', '--user', '--mount', `--target=${pid}`],
    release() {
      process.off('exit', end);
      end();
    },
  };
}

function ballastAt(path: string): Pick<SmallDisk, 'fill' | 'clear'> {
  const ballast = join(path, 'ballast');
  return {
    // It ends with an error as soon as it has done its work.
    fill: () =>
      void spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k'], { stdio: 'ignore' }),
    clear: () => rmSync(ballast, { force: true }),
  };
}
