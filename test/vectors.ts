import { readFileSync } from 'node:fs';

interface Vector {
  readonly id: string;
  readonly input: unknown;
  readonly expected: unknown;
}

const file = new URL('./fixtures/slo-drift-vectors.json', import.meta.url);

/** One of the committed, independently computed vectors; their origin is noted in the file. */
export function vector<Input, Expected>(id: string): { input: Input; expected: Expected } {
  const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'));
  const found = vectors.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return { input: found.input as Input, expected: found.expected as Expected };
}
