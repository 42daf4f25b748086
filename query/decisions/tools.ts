import { isRecord, parseJson } from './json.ts';
import type { Toolset } from './model.ts';

type Effect = 'read' | 'write' | 'unknown';

const effects = new Map<string, Effect>([
  ...verbs(
    'read',
    'get list search find read fetch lookup look calculate think check count describe query retrieve show view verify validate',
  ),
  ...verbs(
    'write',
    'book create update cancel delete send transfer pay write post add remove set insert issue refund charge submit replace',
  ),
]);

// These name things as well: what a tool does is told by a plainer verb after them, and by them only at its beginning.
const nouns = new Set(
  'list search look count query view book transfer post set issue refund charge check show'.split(
    ' ',
  ),
);

function verbs(effect: Effect, words: string): (readonly [string, Effect])[] {
  return words.split(' ').map((word) => [word, effect] as const);
}

/**
 * The effect that a tool's name promises, by its first verb: a guess, to be marked as inferred. Prefixes of servers and
 * namespaces (`mcp__mail__send_receipt`, `mail.send`) promise nothing.
 */
export function effectOfName(tool: string): Effect {
  const [first = '', ...rest] = words(tool.split(/__|[./:]/).findLast((part) => part !== '') ?? '');
  const own = effects.get(first);
  if (own !== undefined && !nouns.has(first)) return own;
  const plain = rest.find((word) => effects.has(word) && !nouns.has(word));
  const last = rest.at(-1) ?? '';
  // A name that ends in its verb begins with what it is done to: `order_list`, `refund_status_check`.
  const verb = plain ?? (effects.get(last) === 'read' ? last : first);
  return effects.get(verb) ?? 'unknown';
}

function words(tool: string): string[] {
  return tool
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** A tool that only lets the model write its thoughts down: the why of the next decision. */
export function isThinkTool(tool: string): boolean {
  return /^(think|thinking|reason|reasoning|reflect|scratchpad|sequential_?thinking)$/i.test(tool);
}

/** A tool whose arguments the model composes for itself: thoughts and sums. */
export function isScratchTool(tool: string): boolean {
  return isThinkTool(tool) || /^(calculat(e|or)|math)$/i.test(tool);
}

/** The agent that a call hands over to, or null: `human` by pattern, `transfer_to_X` when X is a known agent. */
export function handoffTarget(tool: string, agents: ReadonlySet<string>): string | null {
  if (/human|escalat/i.test(tool)) return 'human';
  const target = /^(?:transfer|hand_?off)_to_(.+)$/i.exec(tool)?.[1];
  if (target === undefined) return null;
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, '_');
  for (const agent of agents) if (plain(agent) === plain(target)) return agent;
  return null;
}

interface Definition {
  readonly name: string;
  /** Takes text of any form. */
  readonly freeform: boolean;
  readonly effect: 'read' | 'write' | null;
  readonly parameters: unknown;
}

function parseDefinition(text: string): Definition | undefined {
  const value = parseJson(text);
  const own = isRecord(value) && isRecord(value['function']) ? value['function'] : value;
  if (!isRecord(own) || typeof own['name'] !== 'string') return undefined;
  return {
    name: own['name'],
    freeform: own['type'] === 'custom',
    effect: effectOfHints(own['annotations']),
    parameters: own['parameters'] ?? own['input_schema'] ?? own['inputSchema'],
  };
}

/** What an MCP server says of its tool: `readOnlyHint`, `destructiveHint`. */
function effectOfHints(annotations: unknown): Definition['effect'] {
  if (!isRecord(annotations)) return null;
  const { readOnlyHint, destructiveHint } = annotations;
  if (readOnlyHint === true) return 'read';
  return readOnlyHint === false || destructiveHint === true ? 'write' : null;
}

/** Reads toolsets by the hashes of their definitions, each distinct set once. */
export function readToolsets(content: ReadonlyMap<string, string>) {
  const byHashes = new Map<string, Toolset | null>();
  const all: Toolset[] = [];
  const definitions = new Map<string, Definition | undefined>();

  function definition(hash: string): Definition | undefined {
    if (!definitions.has(hash)) definitions.set(hash, parseDefinition(content.get(hash) ?? ''));
    return definitions.get(hash);
  }

  function toolsetOf(hashes: readonly string[]): Toolset | null {
    if (hashes.length === 0) return null;
    const own = hashes.join();
    const before = byHashes.get(own);
    if (before !== undefined) return before;
    const key = [...new Set(hashes)].toSorted().join();
    const known = byHashes.get(key);
    if (known !== undefined) {
      byHashes.set(own, known);
      return known;
    }
    const offered = hashes.map(definition);
    const toolset = offered.every((tool) => tool !== undefined)
      ? toToolset(`ts${all.length + 1}`, offered)
      : null;
    if (toolset !== null) all.push(toolset);
    byHashes.set(key, toolset).set(own, toolset);
    return toolset;
  }

  return { toolsetOf, all };
}

function toToolset(id: string, offered: readonly Definition[]): Toolset {
  const withSchema = offered.filter(({ parameters }) => isRecord(parameters));
  return {
    id,
    tools: [...new Set(offered.map(({ name }) => name))].toSorted(),
    schemas: withSchema.length === offered.length,
    parameters: new Map(withSchema.map(({ name, parameters }) => [name, parameters])),
    freeform: new Set(offered.filter((tool) => tool.freeform).map(({ name }) => name)),
    effects: new Map(
      offered.flatMap(({ name, effect }) => (effect === null ? [] : [[name, effect] as const])),
    ),
  };
}
