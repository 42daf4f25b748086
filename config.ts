import { z } from 'zod';

const port = z.coerce.number({ error: 'a port from 0 to 65535' }).int().min(0).max(65_535);
const bytes = z.coerce
  .number({ error: 'a number of bytes' })
  .int()
  .min(16 * 1024 * 1024);

const schema = z.object({
  PLUMBLINE_DATA: z.string().min(1).default('./.plumbline'),
  PLUMBLINE_HOST: z.string().min(1).default('127.0.0.1'),
  PLUMBLINE_PORT: port.default(4320),
  PLUMBLINE_OTLP_PORT: port.default(4318),
  PLUMBLINE_PROJECT: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
      error: 'lower-case letters, digits, - and _, at most 64',
    })
    .default('default'),
  PLUMBLINE_JOURNAL_BYTES: bytes.default(2 * 1024 * 1024 * 1024),
  PLUMBLINE_SLOS: z.string().optional(),
  PLUMBLINE_PRICES: z.string().optional(),
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
  /** Project of data and questions that come without a key. */
  readonly project: string;
  readonly journalBytes: number;
  /** File with objectives in OpenSLO YAML, beside the built-in ones. */
  readonly slosFile: string | undefined;
  /** File with prices of one's own, over the built-in list. */
  readonly pricesFile: string | undefined;
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
  if (!loopback.has(e.PLUMBLINE_HOST)) {
    throw new BadSetting(
      `Plumbline cannot start: a setting is not valid.\n  PLUMBLINE_HOST=${JSON.stringify(e.PLUMBLINE_HOST)}: without API keys, only a loopback address (127.0.0.1, ::1, localhost) may be served. Put a reverse proxy with authentication in front.`,
    );
  }
  return {
    data: e.PLUMBLINE_DATA,
    host: e.PLUMBLINE_HOST,
    port: e.PLUMBLINE_PORT,
    otlpPort: e.PLUMBLINE_OTLP_PORT,
    project: e.PLUMBLINE_PROJECT,
    journalBytes: e.PLUMBLINE_JOURNAL_BYTES,
    slosFile: e.PLUMBLINE_SLOS,
    pricesFile: e.PLUMBLINE_PRICES,
    clickhouseUrl: e.CLICKHOUSE_URL,
  };
}
