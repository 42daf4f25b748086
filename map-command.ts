import { readConfig } from './config.ts';
import { BadRequest } from './ingest/otlp/refusal.ts';
import { explainFile, NotOtlp, renderExplanations } from './map-explain.ts';
import { readMapping } from './serve.ts';

/** `plumbline map explain`; undefined when the arguments are not its own. Otherwise the process's exit code. */
export async function mapExplain(args: readonly string[]): Promise<number | undefined> {
  const [file, ...more] = args.filter((arg) => arg !== '--json');
  if (file === undefined || more.length > 0) return undefined;
  try {
    const explanations = await explainFile(file, await readMapping(readConfig()));
    const json = args.includes('--json');
    process.stdout.write(
      json ? `${JSON.stringify(explanations, null, 2)}\n` : renderExplanations(explanations),
    );
    return 0;
  } catch (error) {
    const unreadable = error instanceof Error && 'code' in error;
    if (!(error instanceof NotOtlp || error instanceof BadRequest || unreadable)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 65;
  }
}
