// The fault suite: `npm run test:faults -- [--seed 7] [--rounds 50] [--only kills,disk] [--outage 60] [--overload 30]
// [--quiet]`, where --only takes groups and parts of names. Prints what happens, a table and, last, a line of JSON; ends
// with 1 when anything acknowledged was lost, counted twice, made up or priced wrongly, or when a fault was not handled as
// it should; with 2 when all that ran is clean and something could not be run on this machine.
import { parseArgs } from 'node:util';
import { noServer } from '../clickhouse/server.ts';
import type { NotTested } from './checks.ts';
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

type Result = { readonly clean: boolean } | NotTested;
interface Scenario {
  readonly group: string;
  readonly name: string;
  run(): Promise<Result>;
}

/** A scenario between processes that share a ClickHouse server. */
const onServer = (scenario: Scenario): Scenario => ({
  ...scenario,
  run: async () => {
    const missing = noServer();
    return missing === null
      ? scenario.run()
      : { not_tested: `${missing} here, to make a ClickHouse server of libchdb` };
  },
});
const kill = (kind: 'pair' | 'embedded', tokens: boolean): Scenario => ({
  group: 'kills',
  name: `kill -9 ${kind === 'pair' ? 'two over one server' : 'embedded'} (tokens ${tokens ? 'on' : 'off'})`,
  run: () => killRounds({ seed, rounds, kind, tokens, say }),
});
const delay = { seed, pauseMs: 5000, say };

const overloaded = (journal: 'small' | 'large', duration: number): Scenario => ({
  group: 'overload',
  name: `10 x overload ${duration} s, ${journal} journal`,
  run: () => overload({ seed, seconds: duration, journal, say }),
});

const scenarios: readonly Scenario[] = [
  onServer(kill('pair', true)),
  onServer(kill('pair', false)),
  kill('embedded', true),
  kill('embedded', false),
  onServer({ group: 'delays', name: 'paused before it writes', run: () => pausedWriter(delay, 0) }),
  onServer({ group: 'delays', name: 'clock back 10 s', run: () => clockSteppedBack(delay) }),
  onServer({
    group: 'delays',
    name: 'paused while the clock goes back 10 s',
    run: () => pausedWriter(delay, -10),
  }),
  onServer({
    group: 'outage',
    name: `ClickHouse away ${seconds.outage} s`,
    run: () => serverAway({ seed, seconds: seconds.outage, say }),
  }),
  { group: 'disk', name: 'journal on a full disk', run: () => fullDisk({ seed, say }) },
  overloaded('small', seconds.overload),
  // What it took in at ten times the rate takes ten times as long to store.
  overloaded('large', Math.ceil(seconds.overload / 3)),
];

/** A figure of a result, or '-' where it has none. */
function figure(result: Result, name: string): string {
  const value: unknown = Reflect.get(result, name);
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
  table[name] = {
    spans: figure(result, 'spans'),
    kills: figure(result, 'kills'),
    lost: figure(result, 'lost'),
    doubled: figure(result, 'doubled'),
    ghosts: figure(result, 'ghosts'),
    wrong: figure(result, 'wrong_tasks'),
    'cost error': figure(result, 'cost_error_usd'),
    seconds: String(Math.round((Date.now() - start) / 1000)),
    verdict: 'not_tested' in result ? 'NOT TESTED' : result.clean ? 'ok' : 'VIOLATED',
  };
}
console.table(table);
const all = Object.entries(results);
const missed = all.flatMap(([name, result]) =>
  'not_tested' in result ? [`${name}: ${result.not_tested}`] : [],
);
for (const one of missed) console.log(`NOT TESTED ${one}`);
const clean = all.every(([, result]) => 'not_tested' in result || result.clean);
if (all.length === 0) console.log(`nothing is called ${values.only}`);
console.log(JSON.stringify({ seed, rounds, clean, complete: missed.length === 0, results }));
process.exit(!clean || all.length === 0 ? 1 : missed.length > 0 ? 2 : 0);
