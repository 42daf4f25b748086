// The fault suite: `npm run test:faults -- [--seed 7] [--rounds 50] [--only kills,disk] [--outage 60] [--overload 30]
// [--quiet]`, where --only takes groups and parts of names. Prints what happens, a table and, last, a line of JSON; ends
// with 1 when anything acknowledged was lost, counted twice, made up or priced wrongly, or when a fault was not handled as
// it should.
import { parseArgs } from 'node:util';
import { clockSteppedBack, pausedWriter } from './delays.ts';
import { killRounds } from './kills.ts';
import { fullDisk, serverAway } from './outage.ts';
import { overload } from './overload.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    rounds: { type: 'string', default: '50' },
    only: { type: 'string', default: 'kills,delays,outage,disk,overload' },
    outage: { type: 'string', default: '60' },
    overload: { type: 'string', default: '30' },
    quiet: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const rounds = Number(values.rounds);
const seconds = { outage: Number(values.outage), overload: Number(values.overload) };
const chosen = values.only.split(',');
const isChosen = ({ group, name }: Scenario) =>
  chosen.some((one) => group === one || name.includes(one));
const say = (text: string) => {
  if (!values.quiet) console.log(`  ${text}`);
};

type Result = { readonly clean: boolean } | null;
interface Scenario {
  readonly group: string;
  readonly name: string;
  run(): Promise<Result>;
}

const kill = (kind: 'pair' | 'embedded', tokens: boolean): Scenario => ({
  group: 'kills',
  name: `kill -9 ${kind === 'pair' ? 'two over one server' : 'embedded'} (tokens ${tokens ? 'on' : 'off'})`,
  run: () => killRounds({ seed, rounds, kind, tokens, say }),
});
const delay = { seed, pauseMs: 5000, say };

const scenarios: readonly Scenario[] = [
  kill('pair', true),
  kill('pair', false),
  kill('embedded', true),
  kill('embedded', false),
  { group: 'delays', name: 'paused before it writes', run: () => pausedWriter(delay, 0) },
  { group: 'delays', name: 'clock back 10 s', run: () => clockSteppedBack(delay) },
  {
    group: 'delays',
    name: 'paused while the clock goes back 10 s',
    run: () => pausedWriter(delay, -10),
  },
  {
    group: 'outage',
    name: `ClickHouse away ${seconds.outage} s`,
    run: () => serverAway({ seed, seconds: seconds.outage, say }),
  },
  { group: 'disk', name: 'journal on a full disk', run: () => fullDisk({ seed, say }) },
  {
    group: 'overload',
    name: `10 x overload ${seconds.overload} s`,
    run: () => overload({ seed, seconds: seconds.overload, say }),
  },
];

/** A figure of a result, or '-' where it has none. */
function figure(result: Result, name: string): string {
  const value: unknown = result === null ? undefined : Reflect.get(result, name);
  if (typeof value !== 'number') return '-';
  return Number.isInteger(value) ? String(value) : value.toFixed(9);
}

// An exit takes the processes begun here with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
console.log(`seed ${seed}`);
const results: Record<string, Result> = {};
const table: Record<string, Record<string, string>> = {};
for (const { name, run } of scenarios.filter(isChosen)) {
  console.log(name);
  const start = Date.now();
  const result = await run().catch((error: unknown) => {
    console.error(error);
    return { clean: false, failed: String(error) };
  });
  results[name] = result;
  say(JSON.stringify(result));
  if (result === null) console.log('  nothing can be mounted here (not root?): not tested');
  table[name] = {
    spans: figure(result, 'spans'),
    kills: figure(result, 'kills'),
    lost: figure(result, 'lost'),
    doubled: figure(result, 'doubled'),
    ghosts: figure(result, 'ghosts'),
    wrong: figure(result, 'wrong_tasks'),
    'cost error': figure(result, 'cost_error_usd'),
    seconds: String(Math.round((Date.now() - start) / 1000)),
    verdict: result === null ? 'not tested' : result.clean ? 'ok' : 'VIOLATED',
  };
}
console.table(table);
const clean = Object.values(results).every((result) => result === null || result.clean);
console.log(JSON.stringify({ seed, rounds, clean, results }));
process.exit(clean ? 0 : 1);
