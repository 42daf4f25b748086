import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInMapping } from '../ingest/normalise/mapping.ts';
import { parseOwnMapping } from '../ingest/normalise/own-mapping.ts';
import { type Data, encodeProtobuf, traceRequest } from '../test/fuzz/otlp.ts';
import { explainFile, renderExplanations } from './explain.ts';

const page = await readFile(new URL('../docs/mapping.md', import.meta.url), 'utf8');

/** The blocks of a language on the page. */
function blocks(language: string): string[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, text = '']) =>
    name === language ? [text] : [],
  );
}

const [request = ''] = blocks('json');
const [rules = ''] = blocks('yaml');
const [before, after] = blocks('text');

describe('docs/mapping.md', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumbline-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['JSON', request],
    ['gzip', gzipSync(request)],
    ['protobuf', encodeProtobuf(traceRequest, JSON.parse(request) as Data)],
    ['protobuf and gzip', gzipSync(encodeProtobuf(traceRequest, JSON.parse(request) as Data))],
  ])('shows what map explain says of the request as %s', async (_, bytes) => {
    const file = join(folder, 'request');
    await writeFile(file, bytes);
    const explain = async (mapping = builtInMapping()) =>
      renderExplanations(await explainFile(file, mapping));
    expect(await explain()).toBe(before);
    expect(await explain(parseOwnMapping(rules))).toBe(after);
  });
});
