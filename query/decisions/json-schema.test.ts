import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { schemasAt, violations } from './json-schema.ts';

const address = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

// Ajv is the oracle: each pair must be judged alike.
const cases: [schema: object | boolean, value: unknown][] = [
  [{ type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }, { a: 1 }],
  [{ type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }, { a: '1' }],
  [{ type: 'object', required: ['a', 'b'] }, { a: 1 }],
  [
    { type: 'object', properties: { a: {} }, additionalProperties: false },
    { a: 1, b: 2 },
  ],
  [
    { type: 'object', properties: { a: {} } },
    { a: 1, b: 2 },
  ],
  [
    { type: 'object', additionalProperties: { type: 'string' } },
    { a: 'x', b: 2 },
  ],
  [{ enum: ['one_way', 'round_trip'] }, 'one_way'],
  [{ enum: ['one_way', 'round_trip'] }, 'single'],
  [{ const: { a: [1, 2] } }, { a: [1, 2] }],
  [{ const: 1 }, 2],
  [{ type: ['string', 'null'] }, null],
  [{ type: ['string', 'null'] }, 5],
  [{ type: 'integer' }, 3.5],
  [{ type: 'integer' }, 3.0],
  [{ type: 'array', items: { type: 'string' }, minItems: 2 }, ['a']],
  [{ type: 'array', items: { type: 'string' } }, ['a', 1]],
  [{ type: 'array', maxItems: 1, uniqueItems: true }, [1, 1]],
  [{ prefixItems: [{ type: 'string' }], items: { type: 'number' } }, ['a', 1, 2]],
  [{ prefixItems: [{ type: 'string' }], items: { type: 'number' } }, ['a', 'b']],
  [{ minimum: 1, maximum: 5 }, 6],
  [{ exclusiveMinimum: 1 }, 1],
  [{ exclusiveMaximum: 5 }, 4.9],
  [{ multipleOf: 0.01 }, 12.34],
  [{ multipleOf: 5 }, 12],
  [{ minLength: 2, maxLength: 3 }, '€€€€'],
  [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, true],
  [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, 1],
  [{ oneOf: [{ type: 'number' }, { minimum: 5 }] }, 7],
  [{ oneOf: [{ type: 'string' }, { minimum: 5 }] }, 7],
  [{ allOf: [{ minimum: 5 }, { maximum: 6 }] }, 7],
  [{ not: { type: 'null' } }, null],
  [{ $defs: { address }, properties: { home: { $ref: '#/$defs/address' } } }, { home: {} }],
  [
    { $defs: { address }, properties: { home: { $ref: '#/$defs/address' } } },
    { home: { city: 'B' } },
  ],
  [{ type: 'object', properties: { next: { $ref: '#' } } }, { next: { next: 5 } }],
  [false, 1],
  [true, 1],
];

describe('violations', () => {
  const ajv = new Ajv2020({ strict: false });

  it.each(cases)('judges %j of %j as the oracle does', (schema, value) => {
    expect(violations(schema, value).length === 0).toBe(ajv.validate(schema, value));
  });

  it('says where and what', () => {
    const schema = { type: 'object', properties: { amount: { type: 'number' } }, required: ['to'] };
    expect(violations(schema, { amount: 'ten' })).toEqual([
      '/: to is missing',
      '/amount: expected number, got string',
    ]);
  });

  it('ends on schemas and values that refer to themselves without end', () => {
    const schema: Record<string, unknown> = { $ref: '#' };
    expect(violations(schema, 1)).toEqual([]);
    let deep: unknown = 1;
    for (let i = 0; i < 5000; i++) deep = [deep];
    expect(violations({ items: { $ref: '#' } }, deep)).toEqual([]);
  });

  it('does not run patterns, which may take exponential time', () => {
    expect(violations({ pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`)).toEqual([]);
  });
});

describe('schemasAt', () => {
  it('finds an enumeration through arrays, references and unions', () => {
    const schema = {
      $defs: { kind: { enum: ['a', 'b'] } },
      properties: { rows: { items: { anyOf: [{ properties: { k: { $ref: '#/$defs/kind' } } }] } } },
    };
    expect(schemasAt(schema, '/rows/0/k')).toContainEqual({ enum: ['a', 'b'] });
    expect(schemasAt(schema, '/rows/0/other')).toEqual([]);
  });
});
