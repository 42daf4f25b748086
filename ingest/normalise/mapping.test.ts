import { describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import { contentFields, payloadOnlyFields, scalarFields } from './fields.ts';
import { builtInMapping, parseMapping } from './mapping.ts';

describe('the built-in mapping', () => {
  const mapping = builtInMapping();

  it('knows 43 conventions and every field that the rows need', () => {
    expect(mapping.conventions).toHaveLength(43);
    for (const field of [...scalarFields, ...contentFields, ...payloadOnlyFields]) {
      expect(mapping.fields[field]?.sources.length, field).toBeGreaterThan(0);
    }
  });

  it('names only known conventions', () => {
    const ids = new Set(mapping.conventions.map((c) => c.id));
    const used = Object.values(mapping.fields).flatMap((f) => f.sources.map((s) => s.convention));
    expect(used.filter((id) => !ids.has(id))).toEqual([]);
  });

  it('gives every operation and provider alias in lower case', () => {
    const keys = [
      ...Object.keys(mapping.kinds.operations),
      ...Object.keys(mapping.provider_aliases),
    ];
    expect(keys.filter((key) => key !== key.toLowerCase())).toEqual([]);
  });

  it('yields only canonical kinds', () => {
    const kinds = new Set(
      'llm embedding retriever reranker tool agent workflow task guardrail evaluator memory handoff plan prompt decision http db other workflow_or_task'.split(
        ' ',
      ),
    );
    const stated = mapping.conventions.flatMap(({ kinds: rules }) => [
      ...Object.values(rules?.values ?? {}).flatMap(Object.values<string>),
      ...Object.values(rules?.prefixes ?? {}).flatMap(Object.values<string>),
      ...(rules?.names ?? []).map((rule) => rule.kind),
      ...(rules?.present ?? []).map((rule) => rule.kind),
    ]);
    const all = [...stated, ...Object.values(mapping.kinds.operations)];
    expect(all.filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});

describe('a mapping', () => {
  it('with a mistake is refused when it is read', () => {
    expect(() => parseMapping({ ...builtInMapping(), version: 0 })).toThrow(/version/);
  });

  it('with an unknown transform or convention is refused when it is compiled', () => {
    const mapping = builtInMapping();
    const broken = (source: { convention: string; attribute: string; transform?: string }) => () =>
      compile({
        ...mapping,
        fields: { ...mapping.fields, user_id: { type: 'string', sources: [source] } },
      });
    expect(broken({ convention: 'generic', attribute: 'x', transform: 'rot13' })).toThrow(/rot13/);
    expect(broken({ convention: 'nobody', attribute: 'x' })).toThrow(/nobody/);
  });
});
