import { describe, expect, it } from 'vitest';
import { costLine, type Drift, driftLine, nextLines, progressText, sloLine } from './print.ts';

const group = { key: { workflow: 'support' }, cost_usd: 10, wasted_usd: 7.1 };

describe('the cost line', () => {
  it('shows cost per success, the share that went to failures and the target', () => {
    const costs = { groups: [{ ...group, cost_per_success_usd: 0.2114 }] };
    expect(costLine(costs, 'support', 0.5)).toBe(
      'cost per successful task   $0.211   (71 % of spend went to failed tasks)   target $0.500',
    );
  });

  it('says unknown instead of zero', () => {
    const costs = { groups: [{ ...group, cost_usd: null, cost_per_success_usd: null }] };
    expect(costLine(costs, 'support', 0.5)).toContain('unknown   (unknown of spend');
    expect(costLine({ groups: [] }, 'support', 0.5)).toContain(
      'cost per successful task   unknown',
    );
  });
});

describe('the SLO line', () => {
  const slo = { name: 'task_success_rate', target: 0.95 };
  const policies = [
    { long_window: '1h', factor_effective: 10, burn_long: 2, margin: 0.2 },
    { long_window: '6h', factor_effective: 5, burn_long: 3.14, margin: 0.6 },
  ];
  const entry = { workflow: 'support', state: 'ok', budget_left_ratio: 0.41, policies };

  it('shows the window nearest to firing and what is left', () => {
    const workflows = [{ ...entry, exhaustion_days: 9.2 }];
    expect(sloLine({ slo, workflows }, 'support')).toBe(
      'SLO task_success_rate 95 %   burn 6h 3.1 (fires at 5.0)   budget left 41 %   exhausted in 9 d   state ok',
    );
  });

  it('says how often a spent budget was spent', () => {
    const workflows = [{ ...entry, budget_left_ratio: -1.2, exhaustion_days: 0 }];
    expect(sloLine({ slo, workflows }, 'support')).toContain('budget spent 2.2 times');
  });

  it('says no data instead of a burn of zero', () => {
    expect(sloLine({ slo, workflows: [] }, 'support')).toBe('SLO task_success_rate 95 %   no data');
  });
});

describe('the drift line', () => {
  const signal: Drift['signals'][number] = {
    signal: 'success_rate',
    workflow: 'support',
    verdict: 'drift',
    reference_value: 0.918,
    current_value: 0.812,
    q: 0.0021,
    began_at: '2026-11-17T06:00:00.000Z',
    began_at_low: '2026-11-17T04:00:00.000Z',
    began_at_high: '2026-11-17T08:00:00.000Z',
    suspects: [
      { kind: 'release', value: '2.3.1', verdict: 'temporal_only' },
      { kind: 'prompt', value: 'support@v8', verdict: 'cause' },
    ],
  };

  it('shows since when, from what to what, how sure, and the cause', () => {
    expect(driftLine({ signals: [signal] }, 'support')).toBe(
      'drift  since Tue 06:00 UTC ±2 h   success 92 % → 81 %   q = 0.002   cause: prompt support@v8 (new vs old at the same time)',
    );
  });

  it('claims no cause that was not separated from the time', () => {
    const line = driftLine({ signals: [{ ...signal, suspects: [] }] }, 'support');
    expect(line).toContain('cause: none found');
  });

  it('does not call too little data stable', () => {
    const few = { ...signal, verdict: 'insufficient_data', q: null };
    expect(driftLine({ signals: [few] }, 'support')).toContain('none (insufficient_data)');
    expect(driftLine({ signals: [] }, 'support')).toBe('drift   no data');
  });
});

it('tells where to look and where to send', () => {
  const lines = nextLines({ otlp: 'http://127.0.0.1:1', api: 'http://127.0.0.1:2' }, 'refund-1042');
  expect(lines[0]).toContain('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1');
  expect(lines.join('\n')).toContain('npm run why -- refund-1042');
});

it('draws progress from nothing to all', () => {
  expect(progressText(0, 3_000)).toBe(`[${'·'.repeat(20)}] 0 of 3,000`);
  expect(progressText(1_500, 3_000)).toBe(`[${'#'.repeat(10)}${'·'.repeat(10)}] 1,500 of 3,000`);
});
