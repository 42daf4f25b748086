interface Announcement {
  /** Where it is said. */
  readonly source: string;
  /** UTC. */
  readonly day: string;
  readonly models: readonly string[];
}

const openai = 'developers.openai.com/api/docs/deprecations';
const anthropic = 'platform.claude.com/docs/en/about-claude/model-deprecations';
const gemini = 'ai.google.dev/gemini-api/docs/deprecations';

/**
 * Days on which vendors shut models down on their own platforms, each checked on 2026-11-20 and 2026-11-30 against the text of the page
 * named, or against a copy of it of the day named. Not complete: what is missing is never reported. The settings file
 * adds rows and takes them away.
 */
const announcements: readonly Announcement[] = [
  { source: `${openai} (gpt-4.5-preview)`, day: '2025-07-14', models: ['gpt-4.5-preview'] },
  { source: `${openai} (2025-11-17)`, day: '2026-01-16', models: ['codex-mini-latest'] },
  { source: `${openai} (2025-11-18)`, day: '2026-02-17', models: ['chatgpt-4o-latest'] },
  {
    source: `${openai} (2026-04-22: legacy GPT model snapshots)`,
    day: '2026-07-23',
    models: [
      'computer-use-preview',
      'computer-use-preview-2025-03-11',
      'gpt-4o-audio-preview-2024-12-17',
      'gpt-4o-mini-audio-preview-2024-12-17',
      'gpt-4o-mini-search-preview-2025-03-11',
      'gpt-4o-search-preview-2025-03-11',
      'gpt-5-chat-latest',
      'gpt-5-codex',
      'gpt-5.1-chat-latest',
      'gpt-5.1-codex',
      'gpt-5.1-codex-max',
      'gpt-5.1-codex-mini',
      'gpt-5.2-codex',
      'o3-deep-research',
      'o3-deep-research-2025-06-26',
      'o4-mini-deep-research',
      'o4-mini-deep-research-2025-06-26',
    ],
  },
  {
    source: `${openai} (2026-05-08)`,
    day: '2026-08-10',
    models: ['gpt-5.2-chat-latest', 'gpt-5.3-chat-latest'],
  },
  {
    source: `${openai} (2026-04-22: legacy GPT model snapshots)`,
    day: '2026-10-23',
    models: [
      'gpt-3.5-turbo',
      'gpt-3.5-turbo-0125',
      'gpt-4',
      'gpt-4-0613',
      'gpt-4-1106-preview',
      'gpt-4-turbo',
      'gpt-4-turbo-2024-04-09',
      'gpt-4.1-nano',
      'gpt-4.1-nano-2025-04-14',
      'gpt-4o-2024-05-13',
      'o1',
      'o1-2024-12-17',
      'o1-pro',
      'o1-pro-2025-03-19',
      'o3-mini',
      'o3-mini-2025-01-31',
      'o4-mini',
      'o4-mini-2025-04-16',
    ],
  },
  {
    source: `${openai} (2026-06-11: GPT-5 and o3)`,
    day: '2026-12-11',
    models: [
      'gpt-5',
      'gpt-5-2025-08-07',
      'gpt-5-mini',
      'gpt-5-mini-2025-08-07',
      'gpt-5-nano',
      'gpt-5-nano-2025-08-07',
      'gpt-5-pro',
      'gpt-5-pro-2025-10-06',
      'o3',
      'o3-2025-04-16',
      'o3-pro',
      'o3-pro-2025-06-10',
    ],
  },
  {
    source: `${openai} (2026-10-14: GPT-4o and GPT-4.1 snapshots)`,
    day: '2027-01-14',
    models: [
      'gpt-4.1-2025-04-14',
      'gpt-4.1-mini-2025-04-14',
      'gpt-4o-2024-08-06',
      'gpt-4o-2024-11-20',
      'gpt-4o-mini-2024-07-18',
    ],
  },
  {
    source: anthropic,
    day: '2024-11-06',
    models: [
      ...['claude-1.0', 'claude-1.1', 'claude-1.2', 'claude-1.3'],
      ...['claude-instant-1.0', 'claude-instant-1.1', 'claude-instant-1.2'],
    ],
  },
  {
    source: anthropic,
    day: '2025-07-21',
    models: ['claude-2.0', 'claude-2.1', 'claude-3-sonnet-20240229'],
  },
  {
    source: anthropic,
    day: '2025-10-28',
    models: ['claude-3-5-sonnet-20240620', 'claude-3-5-sonnet-20241022'],
  },
  { source: anthropic, day: '2026-01-05', models: ['claude-3-opus-20240229'] },
  {
    source: anthropic,
    day: '2026-02-19',
    models: ['claude-3-5-haiku-20241022', 'claude-3-7-sonnet-20250219'],
  },
  {
    source: 'platform.claude.com/docs/en/release-notes/overview (2026-06-15)',
    day: '2026-06-15',
    models: ['claude-opus-4-20250514', 'claude-sonnet-4-20250514'],
  },
  {
    source: gemini,
    day: '2025-12-02',
    models: [
      'gemini-2.5-pro-preview-03-25',
      'gemini-2.5-pro-preview-05-06',
      'gemini-2.5-pro-preview-06-05',
    ],
  },
  { source: gemini, day: '2026-03-09', models: ['gemini-3-pro-preview'] },
  {
    source: `${gemini}; firebase.google.com/docs/ai-logic`,
    day: '2026-06-01',
    models: [
      'gemini-2.0-flash',
      'gemini-2.0-flash-001',
      'gemini-2.0-flash-lite',
      'gemini-2.0-flash-lite-001',
    ],
  },
  {
    source: `${gemini} (2026-11-10)`,
    day: '2026-12-01',
    models: ['gemini-2.5-flash', 'gemini-2.5-pro'],
  },
];

/** The day on which a model is shut down, and who says so; undefined when nothing is known. */
export const retiredModels: ReadonlyMap<string, Pick<Announcement, 'day' | 'source'>> = new Map(
  announcements.flatMap(({ models, day, source }) =>
    models.map((model) => [model, { day, source }] as const),
  ),
);
