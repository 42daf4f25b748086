import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { tasks } from '../../store/tables/tasks.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { type CallSketch, type TaskSketch, taskRow, verdict } from '../../test/task-rows.ts';
import { onError } from '../problem.ts';
import type { DriftReport, SignalReport } from './report.ts';
import { driftRoutes } from './routes.ts';

const NOW = Date.parse('2026-11-20T12:30:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Where every planted change begins. */
const CHANGE = Date.parse('2026-11-19T06:00:00Z');

interface Planted extends TaskSketch {
  readonly ok: boolean;
}

let store: Store;
let app: Hono;
/** Every workflow with default windows, and with a reference that ends before the change. */
let usual: DriftReport;
let apart: DriftReport;
let state = 1;

/** A fixed sequence of numbers in (0, 1). */
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state + 0.5) / 2 ** 32;
}

function call(name: string, output: number): CallSketch {
  return { kind: 'llm', name, provider: 'acme', input: 1_000, output: Math.ceil(output) };
}

function tool(name: string, error = ''): CallSketch {
  return { kind: 'tool', name, error };
}

/** `perHour` tasks an hour over ten days, each made by `make` from its time. */
function history(
  workflow: string,
  perHour: number,
  make: (changed: boolean) => Omit<Planted, 'id' | 'end' | 'workflow'>,
): Planted[] {
  const step = HOUR / perHour;
  const count = Math.floor((10 * DAY) / step);
  return Array.from({ length: count }, (_, i) => {
    const end = NOW - 1 - i * step;
    return { id: `${workflow}-${i}`, workflow, end, ...make(end >= CHANGE) };
  });
}

const spread = () => Math.exp((random() + random() + random() - 1.5) * 0.8);

function steady(): Omit<Planted, 'id' | 'end' | 'workflow'> {
  const tools = random() < 0.5 ? [tool('search'), tool('read')] : [tool('search')];
  return {
    ok: random() < 0.92,
    ms: 2_000 * spread(),
    prompts: ['base@v1'],
    version: 'hash1',
    calls: [call('m1', 200 * spread()), ...tools],
  };
}

const histories = {
  // Three in five tasks run the new prompt; the old one goes on beside it and is as good as ever.
  support: () =>
    history('support', 18, (changed) => {
      const fresh = changed && random() < 0.6;
      return {
        ...steady(),
        ok: random() < (fresh ? 0.7 : 0.92),
        prompts: [fresh ? 'support@v8' : 'support@v7'],
        version: fresh ? 'hash8' : 'hash7',
      };
    }),
  steady: () => history('steady', 12, steady),
  // A new model takes over at once: nothing can tell it from anything else of that hour.
  switched: () =>
    history('switched', 12, (changed) => ({
      ...steady(),
      calls: [call(changed ? 'm2' : 'm1', (changed ? 400 : 200) * spread()), tool('search')],
    })),
  // Release 2.0 brings a tool; a prompt that comes at the same hour, on other tasks, has nothing to do with it.
  retooled: () =>
    history('retooled', 15, (changed) => {
      const release = changed && random() < 0.6 ? '2.0' : '1.0';
      return {
        ...steady(),
        release,
        prompts: [changed && random() < 0.5 ? 'decoy@v2' : 'decoy@v1'],
        calls: [call('m1', 200), tool('search'), tool(release === '2.0' ? 'browse' : 'read')],
      };
    }),
  tiny: () => history('tiny', 0.2, (changed) => ({ ...steady(), ok: !changed })),
};

beforeAll(async () => {
  store = await openEmbedded();
  app = new Hono();
  app.onError(
    onError((error) => {
      throw error;
    }),
  );
  app.route('/', driftRoutes({ store, project: () => 'test', now: () => new Date(NOW) }));
  const planted = Object.values(histories).flatMap((make) => make());
  await insert(store, tasks, planted.map(taskRow));
  await insert(
    store,
    outcomes,
    planted.map(({ id, ok, end }) => verdict(id, ok ? 'success' : 'failure', end)),
  );
  usual = await ask('');
  apart = await ask('?reference=now-9d..now-3d&current=now-1d..now');
});

afterAll(async () => {
  await store.close();
});

async function ask(query: string): Promise<DriftReport> {
  const response = await app.request(`/api/v1/drift${query}`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

function signalOf(workflow: string, name: string): SignalReport {
  const found = usual.signals.find(
    (signal) => signal.signal === name && signal.workflow === workflow,
  );
  if (found === undefined) throw new Error(`no ${name} of ${workflow}`);
  return found;
}

const at = (time: string | null | undefined) => Date.parse(time ?? '');

describe('a worse prompt on part of the traffic', () => {
  it('is found with its size, its time and its cause', () => {
    const signal = signalOf('support', 'success_rate');
    expect(signal.verdict).toBe('drift');
    expect(signal.effect).toBeLessThan(-8);
    expect(signal.effect).toBeGreaterThan(-20);
    expect(signal.q).toBeLessThan(0.001);
    expect(Math.abs(at(signal.began_at) - CHANGE)).toBeLessThanOrEqual(2 * HOUR);
    expect(at(signal.began_at_low)).toBeLessThanOrEqual(CHANGE);
    expect(at(signal.began_at_high)).toBeGreaterThan(CHANGE);
    const [first] = signal.suspects;
    expect(first).toMatchObject({
      kind: 'prompt',
      value: 'support@v8',
      verdict: 'cause',
      confounded_with: [{ kind: 'agent_version', value: 'hash8' }],
    });
    expect(at(first?.first_seen)).toBeGreaterThanOrEqual(CHANGE);
    expect(first?.deltas.new?.high).toBeLessThan(0);
    expect(first?.explained_ratio).toBeGreaterThan(0.6);
    expect(first?.text).toContain('prompt "support@v8" together with agent version "hash8"');
  });

  it('shows the new configuration as events', () => {
    const { events } = apart;
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'prompt', value: 'support@v8', change: 'new' }),
    );
    expect(events).not.toContainEqual(expect.objectContaining({ value: 'support@v7' }));
  });
});

describe('a change for everyone at once', () => {
  it('is blamed on time only, model and all', () => {
    const signal = signalOf('switched', 'output_tokens_per_task');
    expect(signal.verdict).toBe('drift');
    expect(signal.effect).toBeGreaterThan(1.6);
    expect(at(signal.began_at)).toBe(CHANGE);
    expect(signal.suspects).toMatchObject([
      { kind: 'model', value: 'm2', verdict: 'temporal_only' },
    ]);
    expect(signal.suspects[0]?.deltas).toMatchObject({ new: null, time: null });
  });
});

describe('another mix of tools', () => {
  it('is drift with the release that brought it, and a new tool', () => {
    const mix = signalOf('retooled', 'tool_mix');
    expect(mix).toMatchObject({ verdict: 'drift', effect_unit: 'js_distance' });
    expect(Math.abs(at(mix.began_at) - CHANGE)).toBeLessThanOrEqual(2 * HOUR);
    expect((mix.detail['movers'] as { tool: string }[]).map(({ tool }) => tool)).toContain(
      'browse',
    );
    expect(mix.suspects).toMatchObject([
      { kind: 'release', value: '2.0', verdict: 'cause' },
      { kind: 'prompt', value: 'decoy@v2', verdict: 'external' },
    ]);
    expect(apart.events).toContainEqual(
      expect.objectContaining({ kind: 'tool', value: 'browse', change: 'new' }),
    );
  });
});

describe('nothing', () => {
  it('is stable where there are enough tasks, and insufficient where there are not', () => {
    const verdicts = (workflow: string): Record<string, string> =>
      Object.fromEntries(
        usual.signals
          .filter((signal) => signal.workflow === workflow)
          .map(({ signal, verdict }) => [signal, verdict]),
      );
    expect(verdicts('steady')).toMatchObject({
      output_tokens_per_task: 'stable',
      latency: 'stable',
      steps_per_task: 'stable',
      cost_per_task: 'insufficient_data',
    });
    expect(Object.values(verdicts('steady'))).not.toContain('drift');
    expect(new Set(Object.values(verdicts('tiny')))).toEqual(new Set(['insufficient_data']));
  });

  it('gives no signals, and no NaN, without any tasks', async () => {
    const body = await ask('?workflow=nobody');
    expect(body).toMatchObject({ signals: [], events: [], windows: [], composition: null });
  });
});

describe('all workflows together', () => {
  it('puts drift first, judges one family and splits the change into mix and rate', () => {
    const { signals, composition, windows } = usual;
    expect(windows).toHaveLength(5);
    expect(signals).toHaveLength(45);
    expect(signals[0]?.verdict).toBe('drift');
    const drifting = signals.filter(({ verdict }) => verdict === 'drift');
    expect(new Set(drifting.map(({ workflow }) => workflow))).toEqual(
      new Set(['support', 'switched', 'retooled']),
    );
    if (composition === null) throw new Error('no composition');
    const { change_percentage_points, mix_percentage_points, rate_percentage_points } = composition;
    expect(mix_percentage_points + rate_percentage_points).toBeCloseTo(change_percentage_points, 9);
    expect(rate_percentage_points).toBeLessThan(0);
  });

  it('judges one workflow as it does among others, in a smaller family', async () => {
    const { signals } = await ask('?workflow=support');
    expect(signals).toHaveLength(9);
    const alone = signals.find(({ signal }) => signal === 'success_rate');
    expect(alone?.effect).toBe(signalOf('support', 'success_rate').effect);
    expect(alone?.q).toBeLessThan(signalOf('support', 'success_rate').q ?? 0);
  });
});

describe('bad requests', () => {
  it.each([
    ['?reference=yesterday', 'reference'],
    ['?current=now..now-1d', 'current'],
    ['?reference=now-3d..now-1d&current=now-2d..now', 'reference'],
    ['?reference=now-90d..now-1d', 'reference'],
    ['?speed=1', 'speed'],
  ])('%s names the parameter', async (query, parameter) => {
    const response = await app.request(`/api/v1/drift${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ parameter });
  });
});
