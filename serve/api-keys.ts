import type { Config } from '../config.ts';
import { type Authorize, authorizeBy, parseKeys } from './keys.ts';
import { report } from './report.ts';
import { readSettings } from './settings.ts';
import type { Undo } from './undo.ts';

/** The keys in use. */
export interface ApiKeys {
  readonly authorize: Authorize;
  readonly projects: () => readonly string[];
}

/** Looks keys up in the file, if one is set; SIGHUP reads it anew, and a file that is wrong then changes nothing. */
export async function openKeys({ keysFile }: Config, undo: Undo): Promise<ApiKeys | undefined> {
  let keys = await readSettings('PLUMBLINE_KEYS', keysFile, parseKeys);
  if (keys === undefined) return undefined;
  const reload = () => {
    readSettings('PLUMBLINE_KEYS', keysFile, parseKeys).then((read) => {
      keys = read ?? [];
    }, report);
  };
  process.on('SIGHUP', reload);
  undo.push(async () => void process.off('SIGHUP', reload));
  const current = () => keys ?? [];
  return {
    authorize: authorizeBy(current),
    projects: () => current().map(({ project }) => project),
  };
}
