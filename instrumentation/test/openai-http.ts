import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** An HTTP exchange with OpenAI as it was recorded. */
export interface Exchange {
  readonly name: string;
  readonly path: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** Parsed JSON, or the text of an event stream. */
  readonly response: unknown;
}

interface Recorded {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly response: unknown;
}

/** The recorded exchanges, where they are present. */
export function recordedExchanges(): Exchange[] {
  const root =
    process.env['PLUMBLINE_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data');
  const folder = join(root, 'openai-http');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().flatMap((name) => {
    const exchanges = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded[];
    return exchanges.map(({ path, body, response }, index) => ({
      name: `${name.replace('.json', '')} ${index}`,
      path,
      request: body,
      response: decoded(response),
    }));
  });
}

/** Compressed bodies are kept as lists of hexadecimal pieces. */
function decoded(response: unknown): unknown {
  if (!Array.isArray(response) || typeof response[0] !== 'string') return response;
  const bytes = Buffer.from(response.join(''), 'hex');
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString();
  return text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
}
