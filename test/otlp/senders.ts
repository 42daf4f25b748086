// Installs the senders that are not of npm into a temporary directory and runs the specs of all real senders on them:
// `npm run test:senders`. Needs Python 3.9 with venv, Go 1.26 and the network. What cannot be installed is said and fails.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'plumbline-senders-'));
const given = process.env;

function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = root,
): boolean {
  const shown = [command, ...args].join(' ');
  console.log(`> ${shown}`);
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    env: { ...given, ...env },
  });
  if (status !== 0) console.error(`failed (${error?.message ?? status}): ${shown}`);
  return status === 0;
}

/** Path of a Python that has both exporters. */
function python(): string {
  const own = join(directory, 'python');
  const exporters = ['http', 'grpc'].map((way) => `opentelemetry-exporter-otlp-proto-${way}~=1.45`);
  const bin = join(own, 'bin', 'python3');
  const done =
    run('python3', ['-m', 'venv', own]) &&
    run(bin, ['-m', 'pip', 'install', '--quiet', 'opentelemetry-sdk~=1.45', ...exporters]);
  return done ? bin : 'none';
}

function telemetrygen(): string {
  const module =
    'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.161.0';
  return run('go', ['install', module], { GOBIN: directory })
    ? join(directory, 'telemetrygen')
    : 'none';
}

/** The Collector of `collector/builder.yaml`, built; the longest part of it all. */
function collector(): string {
  copyFileSync(join(root, 'collector', 'builder.yaml'), join(directory, 'builder.yaml'));
  const builder = 'go.opentelemetry.io/collector/cmd/builder@v0.159.0';
  return run('go', ['run', builder, '--config=builder.yaml'], {}, directory)
    ? join(directory, 'dist', 'otelcol-plumbline')
    : 'none';
}

try {
  const passed = run(
    'npx',
    [
      ...['vitest', 'run', '--project', 'suite', '--reporter', 'verbose'],
      ...['test/otlp/senders.test.ts', 'test/otlp/external.test.ts'],
    ],
    {
      PLUMBLINE_TEST_SENDERS: 'python,telemetrygen,collector',
      PLUMBLINE_TEST_PYTHON: given['PLUMBLINE_TEST_PYTHON'] ?? python(),
      PLUMBLINE_TEST_TELEMETRYGEN: given['PLUMBLINE_TEST_TELEMETRYGEN'] ?? telemetrygen(),
      PLUMBLINE_TEST_COLLECTOR: given['PLUMBLINE_TEST_COLLECTOR'] ?? collector(),
    },
  );
  process.exitCode = passed ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
