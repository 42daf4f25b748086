import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { key as keyCommand } from '../cli/key.ts';
import { readConfig } from '../config.ts';
import { authorizeBy, newKey, parseKeys } from './keys.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const file = `
# comment
${sha256('one')} first ingest          # an agent
${sha256('two')} second read,ingest a note
${sha256('root')} first admin
`;
const authorize = authorizeBy(() => parseKeys(file));
const headers = (entries: Record<string, string>) => new Headers(entries);
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a file of keys', () => {
  it('gives each key its project and scopes', () => {
    expect(parseKeys(file).map(({ project, scopes }) => [project, [...scopes]])).toEqual([
      ['first', ['ingest']],
      ['second', ['read', 'ingest']],
      ['first', ['admin']],
    ]);
  });

  it.each([
    ['the-key-itself first ingest', 'line 1: a key.* 64 hex digits'],
    [`\n${sha256('x')} First ingest`, 'line 2: .*project'],
    [`${sha256('x')} first write`, 'scopes.*ingest, read, admin'],
    [`${sha256('x')} first`, 'scopes'],
  ])('is refused as %j, never quoting what may be a key', (text, message) => {
    expect(() => parseKeys(text)).toThrow(new RegExp(message));
    expect(() => parseKeys(text)).not.toThrow(/the-key-itself/);
  });
});

describe('a request', () => {
  it.each([
    ['Bearer', { authorization: 'Bearer one' }],
    ['a scheme in any case', { authorization: 'bEARER  one' }],
    ['Basic with the key as user', { authorization: `Basic ${base64('one:')}` }],
    ['Basic with the key as password', { authorization: `Basic ${base64('public:one')}` }],
    ['x-api-key', { 'x-api-key': 'one' }],
    ['percent-encoded Bearer', { authorization: 'Bearer%20one' }],
    ['percent-encoded Basic', { authorization: `Basic%20${encodeURIComponent(base64('a:one'))}` }],
    ['a percent-encoded key', { 'x-api-key': '%6Fne' }],
  ])('shows its key as %s', (_, entries) => {
    expect(authorize(headers(entries), 'ingest')).toBe('first');
  });

  it.each([
    ['no key', {}],
    ['an unknown key', { authorization: 'Bearer three' }],
    ['another scheme', { authorization: 'Digest one' }],
    ['broken percent-encoding', { 'x-api-key': '%zz' }],
    ['an empty Basic', { authorization: `Basic ${base64(':')}` }],
    ['a hash', { 'x-api-key': sha256('one') }],
    ['a very long header', { 'x-api-key': 'x'.repeat(10_000) }],
  ])('with %s opens nothing', (_, entries) => {
    expect(authorize(headers(entries), 'ingest')).toEqual({ unauthorized: expect.any(String) });
  });

  it('needs a key with the scope; admin has all', () => {
    const of = (key: string, scope: 'ingest' | 'read' | 'admin') =>
      authorize(headers({ 'x-api-key': key }), scope);
    expect(of('one', 'read')).toMatchObject({ forbidden: true });
    expect(of('two', 'read')).toBe('second');
    expect(of('two', 'admin')).toMatchObject({ forbidden: true });
    expect(of('root', 'read')).toBe('first');
  });
});

describe('a new key', () => {
  it('opens its project by the line that goes with it', () => {
    const { key, line } = newKey('mine', ['ingest', 'read']);
    expect(line).not.toContain(key);
    const open = authorizeBy(() => parseKeys(line));
    expect(open(headers({ authorization: `Bearer ${key}` }), 'read')).toBe('mine');
    expect(newKey('mine', ['read']).key).not.toBe(key);
  });

  it('comes from the command line, or the usage does', () => {
    let text = '';
    const run = (...args: string[]) =>
      keyCommand.run(args, {
        config: readConfig,
        out: (more) => {
          text += more;
        },
        err: () => undefined,
      });
    expect(run('key', 'new', '--project', 'p', '--scopes', 'ingest,read')).toBe(0);
    const [key, line] = text.trim().split('\n');
    const hash = sha256(key?.split(/\s+/).at(-1) ?? '');
    expect(line).toMatch(new RegExp(`${hash} p ingest,read$`));
    for (const args of [
      ['key'],
      ['key', 'new'],
      ['key', 'new', '--project', 'p', '--scopes', 'all'],
    ]) {
      expect(run(...args)).toBeUndefined();
    }
  });
});
