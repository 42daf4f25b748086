import type { Rule } from './model.ts';

/** The request as a whole cannot be read: answered 400. `where` is a path or a byte offset, never content. */
export class BadRequest extends Error {
  readonly where: string;

  constructor(where: string, what: string, options?: ErrorOptions) {
    super(`${where}: ${what}`, options);
    this.name = 'BadRequest';
    this.where = where;
  }
}

/**
 * One item cannot be kept while its neighbours can. Thrown inside an item's decoder and caught by the envelope.
 * Deliberately no `Error`: a hostile batch holds millions of bad items and each stack trace would cost microseconds.
 */
export class BadItem {
  readonly rule: Rule;
  readonly what: string;

  constructor(rule: Rule, what: string) {
    this.rule = rule;
    this.what = what;
  }
}
