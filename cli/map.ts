import { BadRequest } from '../ingest/otlp/refusal.ts';
import { type Command, exit, usage } from './command.ts';
import { explainFile, NotOtlp, renderExplanations } from './explain.ts';

/** `plumbline map explain <otlp file>`. */
export const map: Command = {
  usage: usage(
    'plumbline map explain <otlp file> [--json]',
    'how the mapping reads spans and log records: conventions, sources of fields, what stays raw',
  ),
  async run([command, verb, ...args], { config, out, err }) {
    const [file, ...more] = args.filter((arg) => arg !== '--json');
    if (command !== 'map' || verb !== 'explain' || file === undefined || more.length > 0) {
      return undefined;
    }
    try {
      const { readMapping } = await import('../serve/settings.ts');
      const explanations = await explainFile(file, await readMapping(config()));
      const json = args.includes('--json');
      out(json ? `${JSON.stringify(explanations, null, 2)}\n` : renderExplanations(explanations));
      return 0;
    } catch (error) {
      const unreadable = error instanceof Error && 'code' in error;
      if (!(error instanceof NotOtlp || error instanceof BadRequest || unreadable)) throw error;
      err(`${error.message}\n`);
      return exit.data;
    }
  },
};
