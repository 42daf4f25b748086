import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export const scopes = ['ingest', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** An API key as the file has it: its hash, never itself. */
export interface Key {
  readonly hash: Buffer;
  readonly project: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** No access, with what the client is told; `forbidden` when the key is known and lacks the scope. */
export interface Denied {
  readonly unauthorized: string;
  readonly forbidden?: boolean;
}

/** The project that a request's key opens for this scope. */
export type Authorize = (headers: Headers, scope: Scope) => string | Denied;

export const projectName = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** What {@link projectName} asks for, in words. */
export const projectRule = 'lower-case letters, digits, - and _, at most 64';

/**
 * Reads a file of keys. One per line: SHA-256 in hex, project, scopes joined by commas, then anything; `#` begins a
 * comment.
 *
 * @throws Error naming the line that cannot be used.
 */
export function parseKeys(text: string): Key[] {
  return text.split('\n').flatMap((line, i) => {
    const [hash = '', project = '', list = ''] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (hash === '') return [];
    if (!/^[0-9a-f]{64}$/i.test(hash)) throw badLine(i, 'begins with 64 hex digits (SHA-256)');
    if (!projectName.test(project)) throw badLine(i, 'has a project after the hash');
    return [{ hash: Buffer.from(hash, 'hex'), project, scopes: parseScopes(list, i) }];
  });
}

function parseScopes(list: string, line: number): Set<Scope> {
  const found = new Set(list.split(',').filter(isScope));
  if (found.size === 0 || found.size !== list.split(',').length) {
    throw badLine(line, `has scopes after the project: ${scopes.join(', ')}, joined by commas`);
  }
  return found;
}

export function isScope(text: string): text is Scope {
  return scopes.some((scope) => scope === text);
}

function badLine(index: number, must: string): Error {
  // Never the line itself: somebody may have put a key there instead of its hash.
  return new Error(`line ${index + 1}: a key's line ${must}`);
}

/** A new key, and the line for the file. The key is shown once; the file cannot give it back. */
export function newKey(project: string, granted: readonly Scope[]): { key: string; line: string } {
  if (!projectName.test(project)) {
    throw new Error(`a project is ${projectRule}`);
  }
  const key = `pl_${randomBytes(24).toString('base64url')}`;
  return { key, line: `${sha256(key).toString('hex')} ${project} ${granted.join(',')}` };
}

/**
 * Looks keys up. They come as `Authorization: Bearer <key>`, `Authorization: Basic <base64>` with the key in either
 * part, or `x-api-key: <key>`; percent-encoded too, as OTEL_EXPORTER_OTLP_HEADERS asks for. `admin` includes the other
 * scopes. `keys` is called for every request, so that the file can be read anew.
 */
export function authorizeBy(keys: () => readonly Key[]): Authorize {
  return (headers, scope) => {
    const candidates = keysIn(headers);
    if (candidates.length === 0) {
      return {
        unauthorized: 'an API key is needed: Authorization: Bearer <key>, Basic, or x-api-key',
      };
    }
    const key = find(keys(), candidates);
    if (key === undefined) return { unauthorized: 'the API key is not known' };
    if (key.scopes.has(scope) || key.scopes.has('admin')) return key.project;
    return { unauthorized: `the API key has no scope ${scope}`, forbidden: true };
  };
}

/** Compares with every key in constant time, so that answers tell nothing of how near a guess was. */
function find(keys: readonly Key[], candidates: readonly string[]): Key | undefined {
  let found: Key | undefined;
  for (const candidate of candidates) {
    const hash = sha256(candidate);
    for (const key of keys) if (timingSafeEqual(key.hash, hash)) found = key;
  }
  return found;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const maxHeaderLength = 4096;

function keysIn(headers: Headers): string[] {
  const found = new Set<string>();
  for (const value of forms(headers.get('x-api-key'))) found.add(value);
  for (const value of forms(headers.get('authorization'))) {
    const [scheme = '', ...rest] = value.split(/\s+/);
    const credentials = rest.join(' ');
    if (scheme.toLowerCase() === 'bearer') for (const one of forms(credentials)) found.add(one);
    if (scheme.toLowerCase() === 'basic') {
      for (const one of forms(credentials)) {
        const pair = Buffer.from(one, 'base64').toString('utf8');
        const colon = pair.indexOf(':');
        for (const part of [pair.slice(0, Math.max(colon, 0)), pair.slice(colon + 1)]) {
          found.add(part);
        }
      }
    }
  }
  found.delete('');
  return [...found];
}

/** A value as it came, and decoded if it is percent-encoded. */
function forms(value: string | null): string[] {
  const plain = value?.trim() ?? '';
  if (plain === '' || plain.length > maxHeaderLength) return [];
  if (!plain.includes('%')) return [plain];
  try {
    return [plain, decodeURIComponent(plain)];
  } catch {
    return [plain];
  }
}
