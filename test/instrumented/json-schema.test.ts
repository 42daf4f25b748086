import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { fitsSchema } from '../../instrumentation/src/json-schema.ts';
import { violations } from '../../query/decisions/json-schema.ts';

// Arguments are judged where the call is made when content is not sent, and by the backend when it is: the two must agree,
// and Ajv with both.
const person = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
const tree = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: { next: { $ref: '#/$defs/node' }, n: { type: 'integer' } },
      required: ['n'],
    },
  },
};
const cases: [schema: object | boolean, value: unknown][] = [
  [true, 1],
  [false, 1],
  [person, { name: 'x' }],
  [person, { name: 5 }],
  [person, {}],
  [person, []],
  [person, null],
  [
    { ...person, additionalProperties: false },
    { name: 'x', extra: 1 },
  ],
  [
    { ...person, additionalProperties: { type: 'number' } },
    { name: 'x', extra: '1' },
  ],
  [{ type: ['string', 'null'] }, null],
  [{ type: ['string', 'null'] }, 4],
  [{ type: 'integer' }, 2.5],
  [{ type: 'integer' }, 2],
  [{ enum: ['a', { b: 1 }] }, { b: 1 }],
  [{ enum: ['a'] }, 'b'],
  [{ const: [1, 2] }, [1, 2]],
  [{ const: [1, 2] }, [2, 1]],
  [{ minimum: 1, maximum: 3 }, 3],
  [{ minimum: 1, maximum: 3 }, 4],
  [{ exclusiveMinimum: 1 }, 1],
  [{ exclusiveMaximum: 1 }, 0.5],
  [{ multipleOf: 0.5 }, 1.5],
  [{ multipleOf: 5 }, 7],
  [{ minLength: 2 }, 'é'],
  [{ maxLength: 1 }, '😀'],
  [{ minItems: 1, items: { type: 'string' } }, []],
  [{ items: { type: 'string' } }, ['a', 1]],
  [{ prefixItems: [{ type: 'string' }], items: { type: 'number' } }, ['a', 1]],
  [{ prefixItems: [{ type: 'string' }], items: { type: 'number' } }, [1, 1]],
  [{ uniqueItems: true }, [{ a: 1 }, { a: 1 }]],
  [{ anyOf: [{ type: 'string' }, person] }, { name: 'x' }],
  [{ anyOf: [{ type: 'string' }, person] }, 5],
  [{ oneOf: [{ type: 'number' }, { minimum: 3 }] }, 4],
  [{ oneOf: [{ type: 'number' }, { minimum: 3 }] }, 2],
  [{ allOf: [person, { required: ['age'] }] }, { name: 'x' }],
  [{ not: { type: 'string' } }, 'x'],
  [{ not: { type: 'string' } }, 1],
  [tree, { n: 1, next: { n: 2 } }],
  [tree, { n: 1, next: { n: '2' } }],
];

const ajv = new Ajv2020({ strict: false });

it.each(cases)('%j and %j are judged alike here, there and by Ajv', (schema, value) => {
  const expected = ajv.validate(schema, value);
  expect([fitsSchema(schema, value), violations(schema, value).length === 0]).toEqual([
    expected,
    expected,
  ]);
});

it('accepts what it does not understand, and ends on schemas that never would', () => {
  expect(fitsSchema({ $ref: 'https://example.com/schema' }, 1)).toBe(true);
  expect(fitsSchema({ pattern: '(a+)+$' }, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')).toBe(true);
  expect(fitsSchema({ $ref: '#' }, 1)).toBe(true);
  const wide = { anyOf: Array.from({ length: 50 }, () => ({ $ref: '#' })) };
  expect(typeof fitsSchema(wide, 1)).toBe('boolean');
});
