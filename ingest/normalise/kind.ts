import type { Attribute } from '../otlp/model.ts';
import { type CompiledSource, type Plan, trait } from './compile.ts';
import type { Detected } from './conventions.ts';
import type { Convention } from './mapping.ts';

/** What the kind of a span is read from. */
export interface KindInput {
  readonly name: string;
  /** The span has no parent. */
  readonly root: boolean;
  readonly detected: Detected;
  readonly traits: number;
  readonly attributes: readonly Attribute[];
  /** Attributes that state a kind, in the mapping's order, with their transformed text. */
  readonly stated: readonly { readonly source: CompiledSource; readonly text: string }[];
}

interface NameRule {
  readonly exact: string | undefined;
  readonly regex: RegExp | null;
  readonly kind: string;
  readonly present: readonly string[];
  readonly absent: readonly string[];
  readonly overStated: boolean;
}

interface ConventionKinds {
  readonly values: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly prefixes: readonly (readonly [key: string, prefix: string, kind: string])[];
  readonly names: readonly NameRule[];
  readonly present: readonly { readonly attributes: readonly string[]; readonly kind: string }[];
}

const operationKey = 'gen_ai.operation.name';

function compileConvention(convention: Convention): ConventionKinds {
  const kinds = convention.kinds ?? {};
  const lower = (table: Readonly<Record<string, string>>) =>
    new Map(Object.entries(table).map(([value, kind]) => [value.toLowerCase(), kind]));
  return {
    values: new Map(Object.entries(kinds.values ?? {}).map(([key, table]) => [key, lower(table)])),
    prefixes: Object.entries(kinds.prefixes ?? {}).flatMap(([key, table]) =>
      Object.entries(table).map(([prefix, kind]) => [key, prefix, kind] as const),
    ),
    names: (kinds.names ?? []).map((rule) => ({
      exact: rule.exact,
      regex: rule.regex === undefined ? null : new RegExp(rule.regex),
      kind: rule.kind,
      present: rule.with ?? [],
      absent: rule.without ?? [],
      overStated: rule.over_stated === true,
    })),
    present: kinds.present ?? [],
  };
}

const hasAny = (attributes: readonly Attribute[], keys: readonly string[]): boolean =>
  attributes.some((a) => keys.includes(a.key));

/**
 * Compiles the kind rules. The first that answers wins: a span name that its convention reserves; an attribute that
 * states the kind (the mapping's order); a tool's name; name patterns and telling attributes of the conventions found;
 * a model with usage or messages; database and HTTP; else `other`. `onKind` is told which.
 */
export function compileKinds(
  plan: Plan,
  onKind?: (by: string) => void,
): (input: KindInput) => string {
  const conventions = plan.conventions.ranked.map((c) => compileConvention(c.convention));
  const operations = new Map(Object.entries(plan.mapping.kinds.operations));
  const handoff = new RegExp(plan.mapping.kinds.handoff_name);

  const foundIn = <T>(input: KindInput, ask: (c: ConventionKinds) => T | undefined) => {
    for (let rank = 0; rank < conventions.length; rank++) {
      const rules = conventions[rank];
      const answer = input.detected[rank] === 1 && rules !== undefined ? ask(rules) : undefined;
      if (answer !== undefined) return answer;
    }
    return undefined;
  };

  const statedKind = (input: KindInput): string | undefined => {
    for (const { source, text } of input.stated) {
      const value = text.toLowerCase();
      if (source.key === operationKey) {
        const special = foundIn(input, (c) => c.values.get(operationKey)?.get(value));
        const kind = special ?? operations.get(value);
        if (kind !== undefined) return kind;
        continue;
      }
      const rules = conventions[source.convention];
      const prefixed = rules?.prefixes.find(([k, p]) => k === source.key && value.startsWith(p));
      const kind = rules?.values.get(source.key)?.get(value) ?? prefixed?.[2];
      if (kind !== undefined) return kind;
    }
    return undefined;
  };

  const matches = (rule: NameRule, { name, attributes }: KindInput) =>
    rule.regex?.test(name) === true &&
    (rule.present.length === 0 || hasAny(attributes, rule.present)) &&
    !hasAny(attributes, rule.absent);

  const reserved = (input: KindInput) =>
    foundIn(
      input,
      (c) =>
        c.names.find(
          (rule) => rule.exact === input.name || (rule.overStated && matches(rule, input)),
        )?.kind,
    );

  const named = (input: KindInput) =>
    foundIn(
      input,
      (c) =>
        c.names.find((rule) => matches(rule, input))?.kind ??
        c.present.find((rule) => hasAny(input.attributes, rule.attributes))?.kind,
    );

  // In this order; the names are for people who ask why.
  const rules: readonly Rule[] = [
    { by: 'a reserved span name', ask: reserved },
    { by: 'an attribute that states it', ask: statedKind },
    { by: "a tool call's attributes", ask: (input) => ifTrait(input, trait.tool, 'tool') },
    { by: "the convention's span names and attributes", ask: named },
    {
      by: 'a model with usage or messages',
      ask: (input) => (isModelCall(input.traits) ? 'llm' : undefined),
    },
    { by: 'database attributes', ask: (input) => ifTrait(input, trait.db, 'db') },
    { by: 'HTTP attributes', ask: (input) => ifTrait(input, trait.http, 'http') },
  ];

  return (input) => {
    for (const { by, ask } of rules) {
      const kind = ask(input);
      if (kind === undefined) continue;
      onKind?.(by);
      if (kind === 'workflow_or_task') return input.root ? 'workflow' : 'task';
      return kind === 'tool' && handoff.test(input.name) ? 'handoff' : kind;
    }
    onKind?.('no rule');
    return 'other';
  };
}

interface Rule {
  readonly by: string;
  readonly ask: (input: KindInput) => string | undefined;
}

function ifTrait({ traits }: KindInput, bit: number, kind: string): string | undefined {
  return (traits & bit) === 0 ? undefined : kind;
}

function isModelCall(traits: number): boolean {
  return (traits & trait.model) !== 0 && (traits & (trait.usage | trait.messages)) !== 0;
}
