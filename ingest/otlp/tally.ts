import type { Batch, Decoded, Rule } from './model.ts';
import { BadItem, BadRequest } from './refusal.ts';

const maxReasons = 5;

/** The keys of a signal's three lists in OTLP/JSON; they also name the place of a refused item. */
export interface ListNames {
  readonly resources: 'resourceSpans' | 'resourceLogs' | 'resourceMetrics';
  readonly scopes: 'scopeSpans' | 'scopeLogs' | 'scopeMetrics';
  readonly items: 'spans' | 'logRecords' | 'metrics';
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

export const metricLists: ListNames = {
  resources: 'resourceMetrics',
  scopes: 'scopeMetrics',
  items: 'metrics',
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
  /** Of metrics, whose items are data points: the point inside the metric; else -1. */
  point: number;
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
    point: -1,
  };
}

/**
 * Reads what stands in an item's place into `items`: a span or a log is one item, a metric holds a data point for each.
 */
export type ReadItems<Source, Item> = (from: Source, items: Item[], tally: Tally<Item>) => void;

/** Counts a refused item, or several refused for one reason; rethrows whatever else was thrown. */
export function refuse<Item>(tally: Tally<Item>, thrown: unknown, items = 1): void {
  if (!(thrown instanceof BadItem)) throw thrown;
  tally.rejected += items;
  tally.rules.set(thrown.rule, (tally.rules.get(thrown.rule) ?? 0) + items);
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

function itemPath<Item>({ names, resource, scope, item, point }: Tally<Item>): string {
  const dataPoint = point < 0 ? '' : `.dataPoints[${point}]`;
  return `${names.resources}[${resource}].${names.scopes}[${scope}].${names.items}[${item}]${dataPoint}`;
}
