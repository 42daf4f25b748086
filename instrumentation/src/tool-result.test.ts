import { describe, expect, it } from 'vitest';
import { isErrorLike, shapeOf } from './tool-result.ts';

describe('shapeOf', () => {
  it.each([
    [undefined, 'empty'],
    ['', 'empty'],
    [[], 'empty'],
    [{}, 'empty'],
    ['text', 'string'],
    [7, 'number'],
    [{ b: 1, a: 2 }, 'object{a,b}'],
    [{ address1: 'x' }, 'object{address1}'],
    [{ mia_li_3668: 1 }, 'object{*}'],
    [{ 'a b': 1 }, 'object{*}'],
    [[{ id: 1 }, 2], 'array<object{id}>'],
    [[[1]], 'array<array>'],
  ])('%j is %s', (value, shape) => {
    expect(shapeOf(value)).toBe(shape);
  });
});

describe('isErrorLike', () => {
  it.each([
    'Error: payment amount does not add up',
    ' exception in thread',
    'Traceback (most recent call last)',
    'failed to connect',
    { error: 'x' },
    { errors: ['x'] },
    { exception: { type: 'x' } },
    { ok: false },
    { success: false },
    { status_code: 404 },
    { isError: true, content: [] },
    { is_error: true },
    { tool_success: false },
  ])('%j is', (value) => {
    expect(isErrorLike(value)).toBe(true);
  });

  it.each([
    'No error was found',
    'ok',
    { error: '' },
    { error: null },
    { errors: [] },
    { exception: {} },
    { ok: true },
    { status_code: 200 },
    { nested: { error: 'x' } },
    [{ error: 'x' }],
    null,
  ])('%j is not', (value) => {
    expect(isErrorLike(value)).toBe(false);
  });
});
