import { readFileSync } from 'node:fs';

/** What `npm start` gives to Node: environment, and flags before the file. What is tested and measured is what users run. */
export interface StartCommand {
  readonly env: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
}

const { scripts } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { scripts: { start: string } };

export const startCommand = parse(scripts.start);

function parse(line: string): StartCommand {
  const words = line.split(' ');
  const node = words.indexOf('node');
  const settings = words.slice(0, node).map((word) => {
    const at = word.indexOf('=');
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
  return { env: Object.fromEntries(settings), flags: words.slice(node + 1, -1) };
}
