import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.ts';
import { newKey } from '../../serve/keys.ts';
import { type Plumbline, start } from '../../serve/serve.ts';
import { grpcClient } from './grpc-client.ts';

// A whole Plumbline as `npm start` composes it, with keys, on IPv6's loopback.

const directory = mkdtempSync(join(tmpdir(), 'plumbline-server-'));
const keysFile = join(directory, 'keys');
const config = readConfig({
  PLUMBLINE_DATA: join(directory, 'data'),
  PLUMBLINE_HOST: '::1',
  PLUMBLINE_PORT: '0',
  PLUMBLINE_OTLP_PORT: '0',
  PLUMBLINE_GRPC_PORT: '14399',
  PLUMBLINE_KEYS: keysFile,
  PLUMBLINE_BUDGETS: join(directory, 'budgets'),
});
const sender = newKey('shop', ['ingest']);
const other = newKey('shop', ['ingest']);
const reader = newKey('shop', ['read']);
const lines = `${sender.line}\n${reader.line}\n`;

let plumbline: Plumbline;
let grpc: ReturnType<typeof grpcClient>;
beforeAll(async () => {
  writeFileSync(keysFile, lines);
  writeFileSync(join(directory, 'budgets'), 'budgets: [{ name: day, window: 1d, limit_usd: 50 }]');
  plumbline = await start(config);
  grpc = grpcClient(new URL(plumbline.urls.grpc ?? '').host);
});
afterAll(async () => {
  grpc.close();
  await plumbline.close();
  rmSync(directory, { recursive: true });
});

const span = (n: number) => ({
  traceId: String(n).padStart(32, '0'),
  spanId: 'b'.repeat(16),
  name: 'chat',
  startTimeUnixNano: '1748779200000000000',
});
const bodyOf = (...spans: readonly object[]) =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

async function send(body: string, key = sender.key): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const response = await fetch(`${plumbline.urls.otlp}/v1/traces`, {
    method: 'POST',
    headers,
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

it('takes the keys of a file that was changed when it gets SIGHUP, and keeps them when it is broken', async () => {
  const overGrpc = (key: string) =>
    grpc.export('traces', Buffer.alloc(0), { authorization: `Bearer ${key}` });
  expect([await send('{}'), await send('{}', other.key)]).toEqual([200, 401]);
  expect((await overGrpc(other.key)).code).toBe(16);

  writeFileSync(keysFile, `${lines}${other.line}\n`);
  process.kill(process.pid, 'SIGHUP');
  await expect.poll(() => send('{}', other.key)).toBe(200);
  expect((await overGrpc(other.key)).code).toBe(0);

  writeFileSync(keysFile, 'not a key');
  process.kill(process.pid, 'SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([await send('{}'), await send('{}', other.key)]).toEqual([200, 200]);
  writeFileSync(keysFile, lines);
});

it('has its data directory for itself', async () => {
  await expect(start({ ...config, grpcPort: 0 })).rejects.toThrow(/is in use by process \d+/);
});

describe('/metrics', () => {
  interface Family {
    readonly type: string;
    readonly samples: ReadonlyMap<string, number>;
  }

  /** Reads the text format strictly, by its grammar. */
  async function scrape(): Promise<Map<string, Family>> {
    const headers = { 'x-api-key': reader.key };
    const response = await fetch(`${plumbline.urls.api}/metrics`, { headers });
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    expect(text.endsWith('\n')).toBe(true);
    const families = new Map<string, { type: string; samples: Map<string, number> }>();
    let name = '';
    let isHelped = '';
    for (const line of text.trimEnd().split('\n')) {
      const help = /^# HELP ([a-z_]+) \S.*$/.exec(line)?.[1];
      const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
      if (help !== undefined) isHelped = help;
      else if (type !== null) {
        [, name = ''] = type;
        expect([isHelped, families.has(name)]).toEqual([name, false]);
        families.set(name, { type: type[2] ?? '', samples: new Map() });
      } else {
        const sample = /^([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$/.exec(line);
        const [, key = '', value = ''] = sample ?? [];
        expect(key.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, ''), line).toBe(
          name.replace(/_(bucket|sum|count)$/, ''),
        );
        expect(Number(value), line).not.toBeNaN();
        expect(families.get(name)?.samples.has(key), `${key} twice`).toBe(false);
        families.get(name)?.samples.set(key, Number(value));
      }
    }
    return families;
  }

  it('is what Prometheus reads, named as it asks for', async () => {
    for (const [name, { type, samples }] of await scrape()) {
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(name, 'base units').not.toMatch(/_(ms|milliseconds|mb|kb|mib|ratio_percent)(_|$)/);
      if (type !== 'histogram') continue;
      const at = (suffix: string) => [...samples].filter(([key]) => key.startsWith(name + suffix));
      const buckets = at('_bucket').map(([, value]) => value);
      expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
      expect(samples.get(`${name}_bucket{le="+Inf"}`)).toBe(samples.get(`${name}_count`));
      expect(at('_sum')).toHaveLength(1);
    }
  });

  it('is what docs/metrics.md says', async () => {
    const told = new Map(
      readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
        .split('\n')
        .flatMap((line) => {
          const [, name, type] = /^\| `([a-z_]+)(?:\{[a-z, _]+\})?` \| (\w+) \|/.exec(line) ?? [];
          return name === undefined ? [] : [[name, type]];
        }),
    );
    const families = async () =>
      Object.fromEntries([...(await scrape())].map(([name, { type }]) => [name, type]));
    // Budgets are computed first in a moment.
    await expect.poll(families).toEqual(Object.fromEntries(told));
  });

  it('counts what comes in by what becomes of it', async () => {
    const before = await scrape();
    const twice = bodyOf(span(1), span(2));
    expect([await send(twice), await send(twice)]).toEqual([200, 200]);
    expect(await send(bodyOf(span(3), { ...span(4), traceId: 'short' }))).toBe(200);
    expect(await send('{')).toBe(400);
    expect(await send(twice, 'guess')).toBe(401);
    const { otlp, grpc: grpcUrl } = plumbline.urls;
    const astray = grpcClient(new URL(otlp).host);
    expect((await astray.export('traces', Buffer.alloc(0))).code).toBe(14);
    astray.close();
    await expect(fetch(`${grpcUrl}/v1/traces`, { method: 'POST' })).rejects.toThrow();
    await plumbline.drained();
    const after = await scrape();
    const more = (family: string, labels: string) => {
      const key = `${family}${labels}`;
      const was = before.get(family)?.samples.get(key) ?? 0;
      return (after.get(family)?.samples.get(key) ?? Number.NaN) - was;
    };
    const requests = (outcome: string) =>
      more('plumbline_ingest_requests_total', `{outcome="${outcome}"}`);
    const items = (what: string) =>
      more(`plumbline_ingest_items_${what}_total`, '{signal="traces"}');
    expect({
      requests: ['accepted', 'partial', 'malformed', 'unauthorized', 'busy'].map(requests),
      wrongPort: requests('wrong_port') >= 2,
      items: ['received', 'accepted', 'deduplicated'].map(items),
      refused: more('plumbline_ingest_items_rejected_total', '{rule="trace_id"}'),
    }).toEqual({ requests: [2, 1, 1, 1, 0], wrongPort: true, items: [6, 5, 2], refused: 1 });
    const now = (family: string) => after.get(family)?.samples.get(family);
    expect(now('plumbline_ingest_journal_bytes')).toBe(0);
    expect(now('process_resident_memory_bytes')).toBeGreaterThan(50e6);
    for (const step of ['insert', 'derive', 'fresh', 'lag']) {
      const family = after.get(`plumbline_ingest_${step}_seconds`);
      expect(family?.samples.get(`plumbline_ingest_${step}_seconds_count`)).toBeGreaterThan(0);
    }
  });
});
