import { createHash } from 'node:crypto';
import { z } from 'zod';
import builtIn from './mapping.json' with { type: 'json' };

const texts = z.array(z.string());
const textMap = z.record(z.string(), z.string());

const identify = z.strictObject({
  scope_exact: texts.optional(),
  scope_regex: texts.optional(),
  attribute_any: texts.optional(),
  attribute_prefix: texts.optional(),
  attribute_eq: textMap.optional(),
  resource_any: texts.optional(),
  resource_eq: z.record(z.string(), texts).optional(),
  resource_regex: textMap.optional(),
  name_exact: texts.optional(),
  name_prefix: texts.optional(),
  event_prefix: texts.optional(),
});

export const convention = z.strictObject({
  id: z.string(),
  /** Low numbers are asked first. */
  priority: z.number(),
  identify,
  /** `exclusive`: reported input does not include cache reads and writes. */
  usage: z.literal('exclusive').optional(),
  framework: z.string().optional(),
  kinds: z
    .strictObject({
      values: z.record(z.string(), textMap).optional(),
      prefixes: z.record(z.string(), textMap).optional(),
      names: z
        .array(
          z.strictObject({
            exact: z.string().optional(),
            regex: z.string().optional(),
            kind: z.string(),
            with: texts.optional(),
            /** Only where none of these attributes is. */
            without: texts.optional(),
            /** Stronger than an attribute that states another kind. */
            over_stated: z.boolean().optional(),
          }),
        )
        .optional(),
      present: z.array(z.strictObject({ attributes: texts, kind: z.string() })).optional(),
    })
    .optional(),
});

export const source = z.strictObject({
  convention: z.string(),
  /** A key; `prefix.*`; indexed `a.{i}.b`; several keys that make one value: `a + b`. */
  attribute: z.string().optional(),
  /** Instead of an attribute: a pattern for the span's name, whose first group is the value. */
  name: z.string().optional(),
  /** The span event that carries the attribute. */
  event: z.string().optional(),
  transform: z.string().optional(),
  at: z.array(z.enum(['span', 'log', 'resource', 'event', 'metric'])).optional(),
  /** A bare key, which counts only where its convention was detected. */
  scoped: z.boolean().optional(),
  /** Counts only on spans of these kinds. */
  kinds: texts.optional(),
  /** Does not count where one of these conventions was detected. */
  unless: texts.optional(),
  /** On task ids: declared by a person, in contrast to a framework's run id. */
  declared: z.boolean().optional(),
  /** On declared task ids: a run id where one of these conventions was detected. */
  run_if: texts.optional(),
});

const usageField = z.enum([
  'input_tokens',
  'uncached_input_tokens',
  'output_tokens',
  'visible_output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost',
]);

const mapping = z.strictObject({
  version: z.number().int().min(1).max(2047),
  /** Agents whose records and points outside any trace belong to their session where they name no task. */
  session_tasks: texts,
  /** Log records that report a call; the first rule that fits counts. */
  log_calls: z.array(
    z.strictObject({
      event: z.string(),
      /** A kind of call, `approval`, or `stated`: a model call with usage, as its attributes say. */
      kind: z.enum(['llm', 'embedding', 'reranker', 'tool', 'approval', 'stated']),
      /** Only where these attributes have one of these values. */
      when: z.record(z.string(), texts).optional(),
      failed: z.boolean().optional(),
      /** Only where it has tokens: the agent tells of the same call without them too. */
      metered: z.boolean().optional(),
      /** Not where one of these conventions was found: it tells of the same call in another record. */
      unless: texts.optional(),
    }),
  ),
  /** Metrics that count tokens or USD. Several families may tell the same usage: the first one that is there counts. */
  usage_metrics: z.array(
    z.strictObject({
      id: z.string(),
      metrics: z.array(
        z.strictObject({
          metric: z.string(),
          field: usageField.optional(),
          /** The attribute that names the field. */
          by: z.string().optional(),
          fields: z.record(z.string(), usageField).optional(),
        }),
      ),
    }),
  ),
  conventions: z.array(convention),
  kinds: z.strictObject({ operations: textMap, handoff_name: z.string() }),
  provider_aliases: textMap,
  provider_of_model: textMap,
  framework_systems: texts,
  not_a_provider: texts,
  finish_reasons: textMap,
  redaction_sentinels: texts,
  /** How languages print a missing value. */
  null_texts: texts,
  redaction_prefixes: texts,
  role_aliases: textMap,
  limits: z.strictObject({
    max_index: z.number(),
    max_messages: z.number(),
    max_depth: z.number(),
  }),
  fields: z.record(
    z.string(),
    z.strictObject({ type: z.string(), unit: z.string().optional(), sources: z.array(source) }),
  ),
});

/** How the attributes of every known convention become canonical fields: `mapping.json`. */
export type Mapping = z.infer<typeof mapping>;
export type Convention = Mapping['conventions'][number];
export type Source = NonNullable<Mapping['fields'][string]>['sources'][number];

/** Checks mapping data. Throws a `ZodError` naming the place of the first mistakes. */
export function parseMapping(data: unknown): Mapping {
  return mapping.parse(data);
}

/** The mapping that ships with this version. */
export function builtInMapping(): Mapping {
  return parseMapping(builtIn);
}

/** Tells whether two mappings say the same, whatever version they go by. */
export function checksumOf(given: Mapping): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...given, version: 0 }))
    .digest('hex');
}
