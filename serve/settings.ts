import { readFile } from 'node:fs/promises';
import { BadSetting, type Config } from '../config.ts';
import { builtInMapping, type Mapping } from '../ingest/normalise/mapping.ts';
import { parseOwnMapping } from '../ingest/normalise/own-mapping.ts';

/** What `parse` makes of a settings file, undefined without one. A file that cannot be used is a bad setting. */
export async function readSettings<T>(
  name: string,
  file: string | undefined,
  parse: (text: string) => T,
) {
  if (file === undefined) return undefined;
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadSetting(`Plumbline cannot start: ${name}=${JSON.stringify(file)}:\n${why}`, {
      cause: error,
    });
  }
}

/** The mapping in use: the built-in one with the rules of `PLUMBLINE_MAPPING`, if set. Throws {@link BadSetting}. */
export async function readMapping({ mappingFile }: Pick<Config, 'mappingFile'>): Promise<Mapping> {
  const parse = (text: string) => parseOwnMapping(text);
  return (await readSettings('PLUMBLINE_MAPPING', mappingFile, parse)) ?? builtInMapping();
}
