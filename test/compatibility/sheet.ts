import { z } from 'zod';
import data from './expected.json' with { type: 'json' };

const answer = z.strictObject({
  request_model: z.string(),
  response_model: z.string(),
  provider: z.string(),
  input: z.number(),
  output: z.number(),
  cache_read: z.number(),
  /** Null where the provider has no such thing. */
  cache_write: z.number().nullable(),
  cache_write_1h: z.number().nullable(),
  reasoning: z.number().nullable(),
  streamed: z.boolean(),
  /** Name of the tool it asks for, or null when it answers. */
  calls: z.string().nullable(),
  /** A tool's result is in the request. */
  after_tool: z.boolean(),
});

const scenario = z.strictObject({
  about: z.string(),
  /** Keys of `answers`, in order. */
  calls: z.array(z.string()),
  system: z.string().optional(),
  agents: z.array(z.string()).optional(),
  session: z.string().optional(),
  user: z.string().optional(),
  tools: z
    .array(z.strictObject({ name: z.string(), arguments: z.unknown(), result: z.string() }))
    .optional(),
  handoffs: z.number().optional(),
});

const capture = z.strictObject({
  library: z.string(),
  with: z.string(),
  scenario: z.string(),
  /** Cost of all tasks, worked out by hand from `answers` and the providers' list prices. */
  cost_usd: z.number().nullable(),
  /** Where the whole is unknown, because a call tells no tokens: the cost of the others. */
  known_usd: z.number().optional(),
  /** How many tasks its traces make; 1 unless the library starts traces of its own. */
  tasks: z.number().optional(),
  /** What the library does not say, and why: by aspect. */
  cannot: z.record(z.string(), z.string()).optional(),
  /** What the library says wrongly. */
  wrong: z.record(z.string(), z.string()).optional(),
  note: z.string().optional(),
});

const sheet = z.strictObject({
  question: z.string(),
  final_text: z.string(),
  answers: z.record(z.string(), answer),
  scenarios: z.record(z.string(), scenario),
  captures: z.record(z.string(), capture),
});

export type Answer = z.infer<typeof answer>;
export type Scenario = z.infer<typeof scenario>;
export type Expected = z.infer<typeof capture>;
export type Sheet = z.infer<typeof sheet>;

/** The hand-written sheet: what was asked and answered in each capture, and what each library leaves out. */
export const expectedSheet: Sheet = sheet.parse(data);
