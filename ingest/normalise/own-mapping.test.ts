import { describe, expect, it } from 'vitest';
import { batch, log, span } from './fixtures.ts';
import { builtInMapping, checksumOf } from './mapping.ts';
import { createNormaliser } from './normaliser.ts';
import { BadMapping, parseOwnMapping } from './own-mapping.ts';

async function rowOf(
  yaml: string,
  attributes: Parameters<typeof span>[0],
  resource: { readonly [key: string]: string } = {},
) {
  const normaliser = await createNormaliser(parseOwnMapping(yaml));
  const { spans } = normaliser.normaliseSpans('p', [batch([span(attributes)], { resource })]);
  const [row] = spans;
  if (row === undefined) throw new Error('no row');
  return row;
}

describe('parseOwnMapping', () => {
  it('fills a field from an own attribute before the built-in ones', async () => {
    const attributes = { 'acme.customer': 'c-7', 'user.id': 'u-1', 'enduser.id': 'u-2' };
    const plain = await rowOf('', { attributes });
    const row = await rowOf('fields: { user_id: [acme.customer] }', { attributes });
    expect([plain.user_id, row.user_id]).toEqual(['u-1', 'c-7']);
    expect(Object.fromEntries(row.attributes)).toEqual(attributes);
  });

  it('reads JSON, transforms, and attributes of the resource', async () => {
    const file = JSON.stringify({
      fields: {
        input_tokens: [{ attribute: 'acme.usage', transform: 'json_path(in)' }],
        user_id: [{ attribute: 'acme.tenant', at: ['resource'] }],
      },
    });
    const attributes = { 'acme.usage': '{"in":42}' };
    const row = await rowOf(file, { attributes }, { 'acme.tenant': 't-9' });
    expect([row.input_tokens, row.user_id]).toEqual([42n, 't-9']);
  });

  it('takes content from an own attribute out of the row and into messages', async () => {
    const file = `
fields:
  input_messages: [{ attribute: acme.chat, transform: parse_any_messages }]`;
    const normaliser = await createNormaliser(parseOwnMapping(file));
    const chat = '[{"role":"user","content":"hello"}]';
    const { spans, messages } = normaliser.normaliseSpans('p', [
      batch([span({ attributes: { 'acme.chat': chat } })]),
    ]);
    expect(spans[0]?.attributes).toEqual([]);
    expect(messages.map(({ content }) => content).join()).toContain('hello');
    expect(spans[0]?.input_messages).toHaveLength(1);
  });

  it('declares task ids, on spans and logs', async () => {
    const file = 'task_ids: [acme.job]';
    const normaliser = await createNormaliser(parseOwnMapping(file));
    const attributes = { 'acme.job': 'job-1', 'gen_ai.task.id': 'run-1' };
    const { spans } = normaliser.normaliseSpans('p', [batch([span({ attributes })])]);
    const { logs } = normaliser.normaliseLogs('p', [batch([log({ attributes })])]);
    for (const row of [spans[0], logs[0]]) {
      expect(row).toMatchObject({ task_id: 'job-1', task_id_kind: 'declared' });
    }
  });

  it('names kinds by attribute and by name', async () => {
    const file = `
kinds:
  attributes: { acme.step: { LLM: llm, fn: tool } }
  names: [{ prefix: 'rank.', kind: reranker }]`;
    const kindOf = async (fields: Parameters<typeof span>[0]) => (await rowOf(file, fields)).kind;
    expect(await kindOf({ attributes: { 'acme.step': 'llm' } })).toBe('llm');
    expect(await kindOf({ attributes: { 'acme.step': 'fn' } })).toBe('tool');
    expect(await kindOf({ name: 'rank.top' })).toBe('reranker');
    expect(await kindOf({ name: 'rankXtop' })).toBe('other');
  });

  it('detects an own convention', async () => {
    const file = `
conventions:
  - id: acme
    priority: 5
    framework: acme
    identify: { scope_exact: [acme.agent] }
fields:
  agent_name: [{ attribute: who, convention: acme, scoped: true }]`;
    const normaliser = await createNormaliser(parseOwnMapping(file));
    const of = (scope: string) =>
      normaliser.normaliseSpans('p', [batch([span({ attributes: { who: 'ann' } })], { scope })]);
    expect(of('acme.agent').spans[0]).toMatchObject({
      agent_name: 'ann',
      convention: 'acme',
      framework: 'acme',
    });
    expect(of('other').spans[0]?.agent_name).toBe('');
  });

  it('excludes what the built-in rules misread, and keeps the attribute', async () => {
    const attributes = { 'metadata.task_id': 'not-a-task', session_id: 's' };
    const row = await rowOf(
      'exclude: [{ attribute: metadata.task_id, field: task_id }, { attribute: session_id }]',
      { attributes },
    );
    expect([row.task_id, row.conversation_id]).toEqual(['', '']);
    expect(Object.fromEntries(row.attributes)).toEqual(attributes);
  });

  it('leaves the mapping as it is where the file says nothing', () => {
    const fields = Object.keys(parseOwnMapping('').fields);
    expect(fields).toEqual(Object.keys(builtInMapping().fields));
    expect(checksumOf(parseOwnMapping(''))).toBe(checksumOf(parseOwnMapping('{}')));
    expect(checksumOf(parseOwnMapping('task_ids: [a]'))).not.toBe(checksumOf(parseOwnMapping('')));
  });

  it.each([
    ['fields: [', /line 1/],
    ['fields: { userid: [a] }', /no such field; perhaps user_id/],
    ['fields: { zzz: [a] }', /no such field; one of operation, provider/],
    [
      'fields: { user_id: [{ attribute: acme.a, transform: nonsense }] }',
      /'nonsense'.*json_path[\s\S]*at fields\.user_id, attribute acme\.a/,
    ],
    ['fields: { user_id: [{ attribute: a, convention: nobody }] }', /nobody/],
    ['kinds: { attributes: { a: { b: wizard } } }', /kinds\.attributes\.a\.b/],
    ['exclude: [{ attribute: nothing.reads.this }]', /nothing is read from nothing\.reads\.this/],
    ['exclude: [{ attribute: gen_ai.task.id, field: user_id }]', /user_id is not read/],
    ['conventions: [{ id: langfuse, priority: 1, identify: {} }]', /langfuse is there already/],
    ['rules: []', /rules/],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseOwnMapping(text)).toThrow(BadMapping);
    expect(() => parseOwnMapping(text)).toThrow(message);
  });
});
