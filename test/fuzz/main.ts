// Fuzzes a real server: `npm run test:fuzz [-- cases seed]`. Prints one JSON report, last; exits 1 when anything failed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCampaign } from './campaign.ts';

const [cases = '20000', seed = '1'] = process.argv.slice(2);
const data = mkdtempSync(join(tmpdir(), 'plumbline-fuzz-'));
try {
  const report = await runCampaign({
    data,
    cases: Number(cases),
    seed: Number(seed),
    log: (line) => console.error(line),
  });
  for (const failure of report.failures) console.error(failure.slice(0, 1000));
  const { failures, ...figures } = report;
  console.log(JSON.stringify({ ...figures, seed: Number(seed), failures: failures.length }));
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(data, { recursive: true, force: true });
}
