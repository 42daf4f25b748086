import type { Batch, Decoded, Rule } from './model.ts';
import { BadItem, BadRequest } from './refusal.ts';

const maxReasons = 5;

/** The keys of a signal's three lists in OTLP/JSON; they also name the place of a refused item. */
export interface ListNames {
  readonly resources: 'resourceSpans' | 'resourceLogs';
  readonly scopes: 'scopeSpans' | 'scopeLogs';
  readonly items: 'spans' | 'logRecords';
}

export const spanLists: ListNames = {
  resources: 'resourceSpans',
  scopes: 'scopeSpans',
  items: 'spans',
};

export const logLists: ListNames = {
  resources: 'resourceLogs',
  scopes: 'scopeLogs',
  items: 'logRecords',
};

/** Where the decoder stands and what it has refused so far. */
export interface Tally<Item> {
  readonly names: ListNames;
  readonly batches: Batch<Item>[];
  readonly rules: Map<Rule, number>;
  readonly reasons: string[];
  items: number;
  rejected: number;
  resource: number;
  scope: number;
  item: number;
}

export function newTally<Item>(names: ListNames): Tally<Item> {
  return {
    names,
    batches: [],
    rules: new Map(),
    reasons: [],
    items: 0,
    rejected: 0,
    resource: -1,
    scope: -1,
    item: -1,
  };
}

/** Counts a refused item; rethrows whatever else was thrown. */
export function refuse<Item>(tally: Tally<Item>, thrown: unknown): void {
  if (!(thrown instanceof BadItem)) throw thrown;
  tally.rejected += 1;
  tally.rules.set(thrown.rule, (tally.rules.get(thrown.rule) ?? 0) + 1);
  if (tally.reasons.length < maxReasons) {
    tally.reasons.push(`${itemPath(tally)}: ${thrown.what}`);
  }
}

/** What goes wrong in a resource or a scope, which all its items share, spoils the request. */
export function spoil<Item>(tally: Tally<Item>, part: string, thrown: unknown): never {
  if (!(thrown instanceof BadItem)) throw thrown;
  throw new BadRequest(`${tally.names.resources}[${tally.resource}].${part}`, thrown.what);
}

export function addBatch<Item>(tally: Tally<Item>, batch: Batch<Item>): void {
  if (batch.items.length === 0) return;
  tally.batches.push(batch);
  tally.items += batch.items.length;
}

export function decoded<Item>(tally: Tally<Item>): Decoded<Item> {
  const { batches, items, rejected, rules, reasons } = tally;
  return { batches, items, rejected, rules, reasons };
}

function itemPath<Item>({ names, resource, scope, item }: Tally<Item>): string {
  return `${names.resources}[${resource}].${names.scopes}[${scope}].${names.items}[${item}]`;
}
