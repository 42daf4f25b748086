import type { OtlpPoint } from '../otlp/model.ts';
import { textAt } from './fields.ts';
import type { Mapping } from './mapping.ts';
import type { Resolved } from './resolve.ts';
import { attribute, textOf } from './values.ts';

/** What a point tells of tokens or money, and of which model; `usage` is '' where it tells nothing. */
export interface UsageColumns {
  readonly usage: string;
  readonly provider: string;
  readonly model: string;
}

/** Reads what a point tells of usage. */
export type ReadUsage = (
  point: OtlpPoint,
  resolved: Resolved,
  guessProvider: (model: string) => string,
) => UsageColumns;

/** Compiles the mapping's metrics that count tokens or USD. */
export function createUsageReader(mapping: Mapping): ReadUsage {
  const rules = new Map(
    mapping.usage_metrics.flatMap(({ metrics }, rank) =>
      metrics.map((rule) => [rule.metric, { rank, rule }] as const),
    ),
  );
  return ({ metric, attributes }, { values }, guessProvider) => {
    const found = rules.get(metric.name);
    if (found === undefined) return noUsage;
    const { field, fields = {}, by = '' } = found.rule;
    const named = textOf(attribute(attributes, by) ?? null);
    const usage = field ?? (Object.hasOwn(fields, named) ? fields[named] : undefined);
    if (usage === undefined) return noUsage;
    const model = textAt(values, 'response_model') || textAt(values, 'request_model');
    const provider = textAt(values, 'provider') || guessProvider(model);
    return { usage: `${found.rank}:${usage}`, provider, model };
  };
}

const noUsage: UsageColumns = { usage: '', provider: '', model: '' };
