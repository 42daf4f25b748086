import { parseArgs } from 'node:util';
import { isScope, newKey, projectName, projectRule, scopes } from '../serve/keys.ts';
import { type Command, exit, usage } from './command.ts';

/** `plumbline key new`: a new key, and the line for the file of PLUMBLINE_KEYS. */
export const key: Command = {
  usage: usage(
    `plumbline key new --project <name> --scopes ${scopes.join(',')}`,
    'a new API key, and its line for the file of PLUMBLINE_KEYS',
  ),
  run([command, verb, ...rest], { out, err }) {
    if (command !== 'key' || verb !== 'new') return undefined;
    const asked = askedFor(rest);
    if (asked === undefined) return undefined;
    if (!projectName.test(asked.project)) {
      err(`--project ${JSON.stringify(asked.project)}: a project is ${projectRule}\n`);
      return exit.usage;
    }
    const { key, line } = newKey(asked.project, asked.scopes);
    out(`key (shown once)             ${key}\nline for PLUMBLINE_KEYS      ${line}\n`);
    return 0;
  },
};

function askedFor(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { project: { type: 'string' }, scopes: { type: 'string' } },
    });
    const granted = (values.scopes ?? '').split(',');
    if (values.project === undefined || !granted.every(isScope)) return undefined;
    return { project: values.project, scopes: granted.filter(isScope) };
  } catch {
    return undefined;
  }
}
