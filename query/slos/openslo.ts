import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { builtinObjectives, type Objective } from './objectives.ts';

/** A file of SLOs that cannot be used: one line per problem, naming the document and the field. */
export class BadObjectives extends Error {
  override readonly name = 'BadObjectives';
}

const MAX_DOCUMENTS = 200;

// OpenSLO v1 lets an indicator hold any query. Ours are closed definitions, so a document names one of them and sets its
// target, its limit and its window; a file never carries SQL.
const document = z.object({
  apiVersion: z.literal('openslo/v1'),
  kind: z.string(),
  metadata: z.object({
    name: z.string().min(1),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.unknown().optional(),
});

const slo = z.object({
  description: z.string().optional(),
  indicatorRef: z.enum(
    builtinObjectives.map(({ indicator }) => indicator),
    { error: `one of ${builtinObjectives.map(({ indicator }) => indicator).join(', ')}` },
  ),
  timeWindow: z
    .array(
      z.object({
        duration: z.string().regex(/^[1-9]\d?d$/, 'days, such as 28d'),
        isRolling: z.literal(true),
      }),
    )
    .length(1)
    .default([{ duration: '28d', isRolling: true }]),
  budgetingMethod: z.literal('Occurrences').default('Occurrences'),
  objectives: z
    .array(z.object({ target: z.number().optional(), value: z.number().positive().optional() }))
    .length(1),
});

type Document = z.output<typeof document>;
type Slo = z.output<typeof slo>;

/**
 * Objectives from OpenSLO v1 YAML, several documents per file. `spec.indicatorRef` names a built-in indicator;
 * `objectives[0].target` is the share of good events, `objectives[0].value` the limit in seconds, or in USD for
 * `cost_per_successful_task`; the annotation `plumbline.dev/workflow` makes it an objective for one workflow.
 *
 * @throws BadObjectives listing every problem.
 */
export function parseOpenSlo(text: string): Objective[] {
  const documents = parseAllDocuments(text);
  if (documents.length > MAX_DOCUMENTS) {
    throw new BadObjectives(`at most ${MAX_DOCUMENTS} documents, not ${documents.length}`);
  }
  const problems: string[] = [];
  const objectives = documents.flatMap((yaml, i) => {
    const where = `document ${i + 1}`;
    const broken = yaml.errors[0];
    if (broken !== undefined) {
      problems.push(`${where}: ${broken.message.split('\n')[0]}`);
      return [];
    }
    const head = document.safeParse(yaml.toJS({ maxAliasCount: 10 }));
    if (!head.success) return refuse(problems, where, head.error);
    // Alert policies, services and data sources may stand in the same file; ours come with the SLO.
    if (head.data.kind !== 'SLO') return [];
    const body = slo.safeParse(head.data.spec);
    if (!body.success) return refuse(problems, `${where} (${head.data.metadata.name})`, body.error);
    return toObjective(head.data, body.data, problems);
  });
  if (problems.length > 0) throw new BadObjectives(problems.join('\n'));
  return objectives;
}

/** Built-in objectives with the user's in place of those of the same name and workflow. */
export function mergeObjectives(own: readonly Objective[]): Objective[] {
  const key = ({ name, workflow }: Objective) => JSON.stringify([name, workflow]);
  const replaced = new Set(own.map(key));
  return [...builtinObjectives.filter((objective) => !replaced.has(key(objective))), ...own];
}

function refuse(problems: string[], where: string, error: z.ZodError): [] {
  for (const { path, message } of error.issues) {
    problems.push(`${where}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
  }
  return [];
}

function toObjective({ metadata }: Document, spec: Slo, problems: string[]): Objective[] {
  const base = builtinObjectives.find(({ indicator }) => indicator === spec.indicatorRef);
  const [limits] = spec.objectives;
  if (base === undefined || limits === undefined) return [];
  const common = {
    name: metadata.name,
    description: spec.description ?? base.description,
    workflow: metadata.annotations?.['plumbline.dev/workflow'] ?? null,
    windowDays: Number.parseInt(spec.timeWindow[0]?.duration ?? '28', 10),
  };
  if (base.kind === 'quota')
    return [{ ...base, ...common, targetUsd: limits.value ?? base.targetUsd }];
  const target = limits.target ?? base.target;
  if (!(target > 0 && target < 1)) {
    problems.push(`${metadata.name}: objectives.0.target: above 0 and below 1, such as 0.95`);
    return [];
  }
  const thresholdMs =
    base.thresholdMs === null || limits.value === undefined
      ? base.thresholdMs
      : limits.value * 1_000;
  return [{ ...base, ...common, target, thresholdMs }];
}
