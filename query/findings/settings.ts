import { parse } from 'yaml';
import { z } from 'zod';
import type { Expectation } from './background.ts';
import type { RuleSettings } from './find.ts';
import { rules } from './rules.ts';

/** What a project switches off, sets otherwise, and expects of its workflows. */
export interface FindingsSettings {
  readonly rules: RuleSettings;
  /** By workflow. */
  readonly expect: Readonly<Record<string, Expectation>>;
  /** Retirement days of models; null takes a built-in one away. */
  readonly retired: Readonly<Record<string, string | null>>;
}

export const defaultFindingsSettings: FindingsSettings = { rules: {}, expect: {}, retired: {} };

/** The file of settings does not say what it should. `message` names each place, one per line. */
export class BadFindingsSettings extends Error {
  override readonly name = 'BadFindingsSettings';
}

const known = new Map(rules.map((rule) => [rule.id, rule]));

const ruleSettings = z
  .record(z.string(), z.union([z.literal(false), z.record(z.string(), z.number())]))
  .superRefine((settings, context) => {
    for (const [id, own] of Object.entries(settings)) {
      const rule = known.get(id);
      const unknown =
        rule === undefined
          ? `no rule is called ${id}`
          : Object.keys(own === false ? {} : own)
              .filter((name) => !Object.hasOwn(rule.parameters, name))
              .map((name) => `${id} has no parameter ${name}`)[0];
      if (unknown !== undefined) context.addIssue({ code: 'custom', message: unknown, path: [id] });
    }
  });

const tools = z.array(z.string().min(1)).default([]);

const expectation = z.strictObject({
  required: tools,
  forbidden: tools,
  before: z.array(z.tuple([z.string().min(1), z.string().min(1)])).default([]),
  max_calls: z.int().min(0).nullable().default(null),
});

const part = {
  rules: ruleSettings.default({}),
  expect: z.record(z.string(), expectation).default({}),
  retired_models: z.record(z.string(), z.iso.date().nullable()).default({}),
};

const file = z.strictObject({
  ...part,
  projects: z.record(z.string(), z.strictObject(part)).default({}),
});

/**
 * Reads settings in YAML (JSON is YAML too):
 *
 * ```yaml
 * rules:
 *   refusal: false
 *   loop: { repeats: 4 }
 * expect:
 *   refund: { required: [verify_identity], before: [[verify_identity, issue_refund]], max_calls: 20 }
 * retired_models: { our-model-1: 2027-01-31 }
 * projects:
 *   staging: { rules: { cost_runaway: false } }
 * ```
 *
 * Returns the settings of a project: its own entries over those of all.
 *
 * @throws BadFindingsSettings naming every place that is wrong.
 */
export function parseFindingsSettings(text: string): (project: string) => FindingsSettings {
  const parsed = file.safeParse(read(text) ?? {});
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      ({ path, message }) => `  ${path.join('.') || 'the file'}: ${message}`,
    );
    throw new BadFindingsSettings(lines.join('\n'));
  }
  const { projects, ...all } = parsed.data;
  return (project) => {
    const own = Object.hasOwn(projects, project) ? projects[project] : undefined;
    return {
      rules: { ...all.rules, ...own?.rules },
      expect: { ...all.expect, ...own?.expect },
      retired: { ...all.retired_models, ...own?.retired_models },
    };
  };
}

function read(text: string): unknown {
  try {
    // Dates stay text: the core schema knows none.
    return parse(text, { schema: 'core' });
  } catch (error) {
    throw new BadFindingsSettings(`  ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A number that differs when rules or settings may give another answer. */
export function rulesFingerprint(settings: FindingsSettings): number {
  const text = JSON.stringify([
    rules.map(({ id, version, parameters }) => [id, version, parameters]),
    settings,
  ]);
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
