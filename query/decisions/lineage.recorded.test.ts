import { describe, expect, it } from 'vitest';
import {
  evidenceOf,
  fixture,
  type RecordedRun,
  recordedRuns,
} from '../../test/decisions/recorded-run.ts';
import { deriveTrajectory } from './derive.ts';

// A second reading of BEHAVIOUR §2, by brute force over the recorded messages, that shares no code with the first.
type Scalar = string | number | boolean;
interface Leaf {
  readonly path: string;
  readonly key: string;
  readonly value: Scalar;
}

function flatten(value: unknown, path = '', key = ''): Leaf[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [{ path, key, value: value as Scalar }];
  return Object.entries(value).flatMap(([name, item]) =>
    flatten(item, `${path}/${name}`, Array.isArray(value) ? key : name),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface ToolSchema {
  readonly properties?: Record<string, ToolSchema & { enum?: unknown[]; items?: ToolSchema }>;
  readonly items?: ToolSchema;
  readonly enum?: unknown[];
}

const schemas = new Map(
  fixture<{ function: { name: string; parameters: ToolSchema } }[]>('tools.json').map((tool) => [
    tool.function.name,
    tool.function.parameters,
  ]),
);

function isEnum(tool: string, path: string): boolean {
  let at: ToolSchema | undefined = schemas.get(tool);
  for (const name of path.split('/').slice(1))
    at = /^\d+$/.test(name) ? at?.items : at?.properties?.[name];
  return at?.enum !== undefined;
}

function eligible({ value }: Leaf): boolean {
  if (typeof value === 'number') return (String(value).match(/\d/g) ?? []).length >= 2;
  if (typeof value !== 'string') return false;
  return (
    value.length >= 4 || (value.length === 3 && (/\d/.test(value) || value === value.toUpperCase()))
  );
}

function mentions(text: string, value: Scalar): boolean {
  const escaped = String(value).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const haystack = typeof value === 'number' ? text.replace(/[$,]/g, '') : text;
  return new RegExp(`(?<![A-Za-z0-9_])${escaped}(?![A-Za-z0-9_])`, 'i').test(haystack);
}

/** Index among the run's messages that are not the model's of the source of each eligible value. */
function expectedSources(run: RecordedRun) {
  const sources: { call: number; path: string; source: number }[] = [];
  const external: { text: string; leaves: Leaf[] }[] = [];
  let calls = 0;
  for (const message of run.traj) {
    if (message.role !== 'assistant') {
      const text = message.content ?? '';
      external.push({ text, leaves: flatten(parse(text)) });
      continue;
    }
    for (const { function: made } of message.tool_calls ?? []) {
      const call = calls++;
      if (made.name === 'transfer_to_human_agents') continue;
      for (const leaf of flatten(JSON.parse(made.arguments))) {
        if (!eligible(leaf) || isEnum(made.name, leaf.path)) continue;
        const same = (other: Leaf) => String(other.value) === String(leaf.value);
        const ranks = [
          external.findIndex(({ leaves }) =>
            leaves.some((own) => own.key === leaf.key && same(own)),
          ),
          external.findIndex(({ leaves }) => leaves.some(same)),
          external.findIndex(({ text }) => mentions(text, leaf.value)),
        ];
        const source = ranks.find((at) => at !== -1);
        if (source !== undefined) sources.push({ call, path: leaf.path, source });
      }
    }
  }
  return sources;
}

describe('lineage of recorded arguments', () => {
  it('names the message that a brute-force search names', () => {
    let right = 0;
    let all = 0;
    for (const run of recordedRuns().runs) {
      const { steps } = deriveTrajectory(evidenceOf(run));
      const contents = steps.flatMap(({ informed }) => informed ?? []).map(({ id }) => id);
      const calls = steps.flatMap(({ chosen }) => chosen?.calls ?? []);
      for (const { call, path, source } of expectedSources(run)) {
        const found = calls[call]?.sources?.find(({ args }) => args.includes(path))?.from;
        all++;
        if (found !== undefined && found === contents[source]) right++;
      }
    }
    expect(all).toBeGreaterThan(20);
    expect(right).toBe(all);
  });
});
