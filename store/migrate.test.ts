import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { statements } from './migrate.ts';

describe('statements', () => {
  it('splits at semicolons, and not inside quotes, names and comments', () => {
    const script = `
      -- first; not a statement
      SELECT ';', 'it''s; \\'; fine', "a;b", \`c;d\`; /* x; y */
      SELECT 2 -- trailing; comment
      ;
      ;; -- nothing
      SELECT 3`;
    const found = statements(script).map((one) => one.replace(/\s+/g, ' '));
    expect(found).toEqual([
      `-- first; not a statement SELECT ';', 'it''s; \\'; fine', "a;b", \`c;d\``,
      '/* x; y */ SELECT 2 -- trailing; comment',
      '-- nothing SELECT 3',
    ]);
  });

  it('finds none in comments and blanks', () => {
    expect(statements(' -- a;\n /* b; */ ;\n')).toEqual([]);
  });
});

describe('store/schema', () => {
  const folder = new URL('./schema/', import.meta.url);
  const files = readdirSync(folder);

  it('holds numbered SQL files without a gap', () => {
    expect(files.map((name) => Number(/^(\d{4})_\w+\.sql$/.exec(name)?.[1]))).toEqual(
      files.map((_, i) => i + 1),
    );
  });

  it.each(files)('%s can be started again after a kill at any statement', (name) => {
    const own = statements(readFileSync(new URL(name, folder), 'utf8'));
    expect(own.length).toBeGreaterThan(0);
    for (const statement of own) {
      const code = statement.replace(/--[^\n]*\n/g, '').trim();
      expect(code).toMatch(
        /^(CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS|CREATE OR REPLACE VIEW|ALTER TABLE \w+ (MODIFY SETTING |.*IF ))/,
      );
    }
  });
});
