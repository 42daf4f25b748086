import type { Verdict, Verdicts } from './judge.ts';
import type { Expected, Scenario } from './sheet.ts';

/** One capture and what became of it. */
export interface Entry {
  readonly id: string;
  readonly version: string;
  readonly expected: Expected;
  readonly scenario: Scenario;
  readonly verdicts: Verdicts;
}

/** Aspects by column of the table. */
const columns: readonly (readonly [title: string, aspects: readonly string[]])[] = [
  ['Models', ['calls', 'request model', 'response model', 'provider']],
  ['Tokens', ['input tokens', 'output tokens']],
  ['Cache', ['cache read', 'cache write', 'cache write 1 h']],
  ['Reasoning', ['reasoning']],
  ['First token', ['time to first token']],
  [
    'Messages',
    [
      'system instructions',
      'input messages',
      'output messages',
      'tool results in messages',
      'tool definitions',
    ],
  ],
  ['Tools', ['tools', 'tool arguments', 'tool result', 'tool call id']],
  ['Agent', ['agent', 'handoff']],
  ['Session', ['session', 'user']],
  ['Task', ['task']],
];

const marks = { yes: '✓', part: '◐', no: '–', none: '' } as const;

function cell(verdicts: Verdicts, aspects: readonly string[]): string {
  const all: Verdict[] = aspects.flatMap((aspect) => verdicts.get(aspect) ?? []);
  if (all.length === 0) return marks.none;
  if (all.every((verdict) => verdict === 'right')) return marks.yes;
  return all.some((verdict) => verdict === 'right') ? marks.part : marks.no;
}

const dollars = (usd: number) => `$${usd.toFixed(7).replace(/0+$/, '')}`;

function cost({ cost_usd, known_usd }: Expected): string {
  if (cost_usd !== null) return cost_usd === 0 ? '' : dollars(cost_usd);
  return `unknown (≥ ${dollars(known_usd ?? 0)})`;
}

function table(entries: readonly Entry[]): string[] {
  const titles = [
    'Library',
    'Version',
    'Read with',
    ...columns.map(([title]) => title),
    'Task cost',
  ];
  const rows = entries.map(({ version, expected, verdicts }) => [
    `\`${expected.library}\``,
    version,
    expected.with,
    ...columns.map(([, aspects]) => cell(verdicts, aspects)),
    cost(expected),
  ]);
  return [titles, titles.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

function gaps(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ id, version, expected }) => {
    const { cannot = {}, wrong = {}, note } = expected;
    const byReason = new Map<string, string[]>();
    for (const [aspect, reason] of Object.entries({ ...cannot, ...wrong })) {
      byReason.set(reason, [...(byReason.get(reason) ?? []), aspect]);
    }
    const lines = [...byReason].map(([reason, aspects]) => `  - ${aspects.join(', ')}: ${reason}`);
    if (note !== undefined) lines.push(`  - ${note}`);
    return lines.length === 0 ? [] : [`- \`${id}\` ${version} (${expected.with})`, ...lines];
  });
}

/** The page on compatibility, from what the captures turned out to say. */
export function page(entries: readonly Entry[]): string {
  const of = (registry: string) => entries.filter(({ id }) => id.startsWith(registry));
  const lines = [
    '# Compatibility',
    '',
    'Each line is a live capture: the real library in the named version ran against a local model that answers by a',
    'script, and its own OTLP exporter sent what the table is made of. Nothing was set but its own switches for content. The',
    'bytes are in `test/fixtures/captures`, the programs in `test/compatibility/capture`, the hand-made sheet with every',
    'answer, token count and price in `test/compatibility/expected.json`.',
    '',
    'This page is written by the test that holds the captures against that sheet:',
    '`npx vitest run test/compatibility -u`. New captures: `npx tsx test/compatibility/capture/main.ts`.',
    '',
    '✓ right for every call · ◐ right for some · – the library does not say, or says wrongly · blank: does not apply.',
    'What is missing, and why, is below the tables. *Task cost* is the cost of the run at list prices as the library’s',
    'telemetry gives it; where the library leaves out what was cached it is higher than the bill, and where it leaves',
    'out a call’s tokens it is unknown.',
    '',
    '## JavaScript and TypeScript (npm)',
    '',
    ...table(of('npm/')),
    '',
    '## Python (PyPI)',
    '',
    ...table(of('pypi/')),
    '',
    '## What the libraries do not say',
    '',
    ...gaps(entries),
    '',
    '## Libraries that nobody had looked at',
    '',
    'Seven of these captures (AI SDK 5, smolagents, DSPy, Agno, AutoGen, Haystack, Langfuse) and Semantic Kernel were taken to',
    'see what the mapping makes of a library that it was not written for. Of the 103 things that they say, 96 were read right',
    'as it was, and one cost of eight was wrong: Langfuse’s usage in OpenAI’s own words. The seven were the keyword arguments,',
    'the agent’s name and the names of roles of smolagents, and the cached tokens, the reasoning tokens, the tools and the model',
    'that answered of Langfuse. All are in the mapping now.',
    '',
    '## Counted once',
    '',
    'Frameworks, clients and gateways often report the same call. Captures whose “read with” names two sources were taken',
    'with both at work; their cost is that of one. Two spans of different instrumentations are one call when they name the',
    'same response, or overlap and agree on model and tokens; the one that knows most of the usage is counted. A gateway in a',
    'trace of its own is found by the response, and its trace belongs to the task of its caller: the test gives every capture',
    'such a gateway, and the cost stays.',
    '',
    '## Agents without spans',
    '',
    'Claude Code, Codex and Gemini CLI tell of their calls in log records and metrics. These make tasks too: of the prompt that',
    'they name, else of the session. Of one service spans go before records and records before metrics; nothing is added up.',
    'Claude Code 2.1.197 (alone and with its spans) and Codex 0.169.0 are live captures (`test/fixtures/signals`, taken by',
    '`test/compatibility/capture/agents.ts`); the rest, and every order of arrival, is sent by hand against a sheet:',
    '`test/compatibility/signals.test.ts`. Claude Code does not tell which part of a cache write is for an hour, so its computed',
    'cost is lower than what it reports; Codex names neither prompt nor response, so a conversation is one task; the spans of',
    'Gemini CLI (0.61.0) have no tokens, so where it sends them too, their task has a call whose cost is unknown.',
    '',
  ];
  return lines.join('\n');
}
