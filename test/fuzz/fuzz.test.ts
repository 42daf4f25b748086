import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

const data = mkdtempSync(join(tmpdir(), 'plumbline-fuzz-'));
afterEach(() => rmSync(data, { recursive: true, force: true }));

describe('a server under truncated, flipped and hostile requests', () => {
  // `npm run test:fuzz` sends 20,000.
  it('stays up, answers, and keeps every sound request exactly once', async () => {
    const report = await runCampaign({ data, cases: 400, seed: 7, light: true });
    expect(report.failures).toEqual([]);
    expect(report.good).toBe(40);
    expect(report.spared).toBeGreaterThan(60);
    // The campaign is worth something only if much is refused and much is taken.
    expect(report.statuses['400']).toBeGreaterThan(40);
    expect(report.statuses['200']).toBeGreaterThan(120);
  }, 120_000);
});
