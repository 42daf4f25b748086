import { parseArgs } from 'node:util';
import { isScope, newKey, scopes } from './keys.ts';

export const keyUsage = `plumbline key new --project <name> --scopes ${scopes.join(',')}`;

/**
 * `plumbline key new`: a new key, and the line for the file of PLUMBLINE_KEYS. Undefined when the arguments are none of
 * this command's.
 */
export function keyCommand(args: readonly string[]): string | undefined {
  if (args[0] !== 'key' || args[1] !== 'new') return undefined;
  try {
    const { values } = parseArgs({
      args: args.slice(2),
      options: { project: { type: 'string' }, scopes: { type: 'string' } },
    });
    const granted = (values.scopes ?? '').split(',');
    if (values.project === undefined || !granted.every(isScope)) return undefined;
    const { key, line } = newKey(values.project, granted.filter(isScope));
    return `key (shown once)             ${key}\nline for PLUMBLINE_KEYS      ${line}\n`;
  } catch {
    return undefined;
  }
}
