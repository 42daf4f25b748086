import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

// node bench/run.mjs [--node=/path/to/node --repeats=3]: overhead per call against the same call uninstrumented and against the peers that
// survive it, then streams and large bodies. Installs what is compared into a folder of its own. Needs a quiet machine. The
// last line is one JSON object; what it means, and how it looked, is in RESULTS.md.

const here = import.meta.dirname;
const folder = join(tmpdir(), 'plumbline-instrumentation-bench');
const node = process.argv.find((text) => text.startsWith('--node='))?.slice(7) ?? process.execPath;
const repeats = Number(process.argv.find((text) => text.startsWith('--repeats='))?.slice(10) ?? 3);
const otel = JSON.parse(readFileSync(join(here, '../test/matrix/otel-lines.json'), 'utf8'))['2'];
const dependencies = {
  ...otel,
  '@arizeai/openinference-instrumentation-openai': '4.2.7',
  '@opentelemetry/instrumentation-openai': '0.21.0',
  '@traceloop/instrumentation-openai': '0.27.0',
  // The last major that the peers take.
  openai: '6.49.0',
};
const variants = [
  'plain',
  'plumbline none',
  'plumbline metadata',
  'plumbline full',
  'official',
  'traceloop',
  'openinference',
];

install();
const overhead = measureOverhead();
const streams = Object.fromEntries(
  ['plain', 'metadata', 'full'].map((name) => [name, measureStreams(name)]),
);
const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
process.stdout.write(
  `${JSON.stringify({ node: version, cpu: cpus()[0]?.model, overhead, streams })}\n`,
);

function install() {
  const text = JSON.stringify({ private: true, dependencies }, null, 2);
  const file = join(folder, 'package.json');
  mkdirSync(folder, { recursive: true });
  const npm = (args, cwd) =>
    execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    writeFileSync(file, text);
    npm(['install', '--no-audit', '--no-fund', '--legacy-peer-deps', '--ignore-scripts'], folder);
  }
  const target = join(folder, 'node_modules/@plumbline/instrumentation');
  mkdirSync(target, { recursive: true });
  npm(['run', 'build', '--', '--outDir', join(target, 'dist')], join(here, '..'));
  cpSync(join(here, '../package.json'), join(target, 'package.json'));
  for (const name of ['overhead.cjs', 'streams.mjs', 'server.mjs'])
    cpSync(join(here, name), join(folder, name));
}

function child(file, variant) {
  const out = execFileSync(node, ['--expose-gc', file, variant], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(out.trim().split('\n').at(-1));
}

/** Microseconds of CPU beyond the plain call: of each variant the best of its processes, which took turns. */
function measureOverhead() {
  const best = {};
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const variant of variants) {
      const { variant: _, ...shapes } = child('overhead.cjs', variant);
      for (const [shape, { us, first_us, recorded }] of Object.entries(shapes)) {
        best[shape] ??= {};
        const row = best[shape];
        const known = row[variant] ?? { us, first_us };
        row[variant] = {
          us: Math.min(us, known.us),
          first_us: Math.min(first_us, known.first_us),
          recorded,
        };
      }
    }
  }
  for (const [shape, row] of Object.entries(best)) {
    process.stdout.write(`\n${shape}\n`);
    for (const [variant, figures] of Object.entries(row)) {
      const over = (key) => Math.round((figures[key] - row.plain[key]) * 10) / 10;
      Object.assign(figures, { over_us: over('us'), over_first_us: over('first_us') });
      const { us, over_us, over_first_us, recorded } = figures;
      process.stdout.write(
        `  ${variant.padEnd(20)} ${us.toFixed(1).padStart(8)} µs  +${over_us.toFixed(1).padStart(7)}  first calls +${over_first_us.toFixed(1).padStart(7)}  ${recorded} spans per call\n`,
      );
    }
  }
  return best;
}

/** The least disturbed of the repetitions: the one with the least CPU time. */
function measureStreams(variant) {
  const runs = Array.from({ length: repeats }, () => child('streams.mjs', variant));
  const cpu = (run) => run['1,000 streams'].cpu_ms;
  const { variant: _, spans: __, ...cases } = runs.sort((a, b) => cpu(a) - cpu(b))[0];
  process.stdout.write(`\n${variant}\n`);
  for (const [name, figures] of Object.entries(cases)) {
    process.stdout.write(`  ${name.padEnd(14)} ${JSON.stringify(figures)}\n`);
  }
  return cases;
}
