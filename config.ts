import { z } from 'zod';

const port = z.coerce.number({ error: 'a port from 0 to 65535' }).int().min(0).max(65_535);
const bytes = z.coerce
  .number({ error: 'a number of bytes' })
  .int()
  .min(16 * 1024 * 1024);

// An origin has no path; `*` may stand for one label of the host, or for everything.
const originPattern = /^(\*|https?:\/\/(\*\.)?[a-z0-9.-]+(:\d{1,5})?)$/i;

const schema = z.object({
  PLUMBLINE_DATA: z.string().min(1).default('./.plumbline'),
  PLUMBLINE_HOST: z.string().min(1).default('127.0.0.1'),
  PLUMBLINE_PORT: port.default(4320),
  PLUMBLINE_OTLP_PORT: port.default(4318),
  PLUMBLINE_GRPC_PORT: port.default(4317),
  PLUMBLINE_KEYS: z.string().optional(),
  PLUMBLINE_CORS_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .refine((list) => list.every((origin) => originPattern.test(origin)), {
      error: 'origins such as https://app.example.com or https://*.example.com, or *',
    })
    .default([]),
  PLUMBLINE_PROJECT: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
      error: 'lower-case letters, digits, - and _, at most 64',
    })
    .default('default'),
  PLUMBLINE_JOURNAL_BYTES: bytes.default(2 * 1024 * 1024 * 1024),
  PLUMBLINE_INSERT_TOKENS: z.enum(['on', 'off'], { error: 'on or off' }).default('on'),
  PLUMBLINE_AUDIT: z.enum(['on', 'off'], { error: 'on or off' }).default('on'),
  PLUMBLINE_SLOS: z.string().optional(),
  PLUMBLINE_PRICES: z.string().optional(),
  PLUMBLINE_FINDINGS: z.string().optional(),
  PLUMBLINE_MAPPING: z.string().optional(),
  PLUMBLINE_WORKFLOWS: z.string().optional(),
  PLUMBLINE_BUDGETS: z.string().optional(),
  PLUMBLINE_API_KEY: z.string().optional(),
  CLICKHOUSE_URL: z
    .url({ error: 'a URL such as http://user:password@localhost:8123/plumbline' })
    .optional(),
});

/** Everything that can be set, checked once; the rest of the program gets plain values. */
export interface Config {
  /** Directory of the journal and of the embedded database. */
  readonly data: string;
  readonly host: string;
  /** Port of the query API; 0 picks a free one. */
  readonly port: number;
  readonly otlpPort: number;
  /** Port of OTLP over gRPC; 0 is off. */
  readonly grpcPort: number;
  /** File of hashed API keys; with it nothing is answered without a key. */
  readonly keysFile: string | undefined;
  /** Pages of these origins may send OTLP. */
  readonly corsOrigins: readonly string[];
  /** Project of data and questions that come without a key. */
  readonly project: string;
  readonly journalBytes: number;
  /** Deduplication tokens on inserts: they only save work, and the fault suite runs without them too. */
  readonly insertTokens: boolean;
  /** Deriving tasks a second time, which finds and mends wrong rows: the fault suite runs without. */
  readonly audit: boolean;
  /** File with objectives in OpenSLO YAML, beside the built-in ones. */
  readonly slosFile: string | undefined;
  /** File with prices of one's own, over the built-in list. */
  readonly pricesFile: string | undefined;
  /** File with switches, thresholds and expectations of the rules that find defects. */
  readonly findingsFile: string | undefined;
  /** File with mapping rules of one's own, before the built-in ones. */
  readonly mappingFile: string | undefined;
  /** File that says where tasks of a workflow begin and when they count as successful or abandoned. */
  readonly workflowsFile: string | undefined;
  /** File with budgets in USD. */
  readonly budgetsFile: string | undefined;
  /** The key that commands show to a running server which asks for one. */
  readonly apiKey: string | undefined;
  readonly clickhouseUrl: string | undefined;
}

/** A setting that cannot be used. `message` is one block for a person: each setting, what was wrong, what is accepted. */
export class BadSetting extends Error {}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/** Reads the environment, the only place that does. Throws {@link BadSetting}. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => {
      const name = path.join('.');
      return `  ${name}=${JSON.stringify(given[name])}: must be ${message}`;
    });
    throw new BadSetting(['Plumbline cannot start: a setting is not valid.', ...lines].join('\n'));
  }
  const e = parsed.data;
  if (!loopback.has(e.PLUMBLINE_HOST) && e.PLUMBLINE_KEYS === undefined) {
    throw new BadSetting(
      `Plumbline cannot start: a setting is not valid.\n  PLUMBLINE_HOST=${JSON.stringify(e.PLUMBLINE_HOST)}: without API keys, only a loopback address (127.0.0.1, ::1, localhost) may be served. Set PLUMBLINE_KEYS (see: plumbline key new).`,
    );
  }
  return {
    data: e.PLUMBLINE_DATA,
    host: e.PLUMBLINE_HOST,
    port: e.PLUMBLINE_PORT,
    otlpPort: e.PLUMBLINE_OTLP_PORT,
    grpcPort: e.PLUMBLINE_GRPC_PORT,
    keysFile: e.PLUMBLINE_KEYS,
    corsOrigins: e.PLUMBLINE_CORS_ORIGINS,
    project: e.PLUMBLINE_PROJECT,
    journalBytes: e.PLUMBLINE_JOURNAL_BYTES,
    insertTokens: e.PLUMBLINE_INSERT_TOKENS === 'on',
    audit: e.PLUMBLINE_AUDIT === 'on',
    slosFile: e.PLUMBLINE_SLOS,
    pricesFile: e.PLUMBLINE_PRICES,
    findingsFile: e.PLUMBLINE_FINDINGS,
    mappingFile: e.PLUMBLINE_MAPPING,
    workflowsFile: e.PLUMBLINE_WORKFLOWS,
    budgetsFile: e.PLUMBLINE_BUDGETS,
    apiKey: e.PLUMBLINE_API_KEY,
    clickhouseUrl: e.CLICKHOUSE_URL,
  };
}
