import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The package as it would be published, and an application that has it installed. */
export interface Packed {
  readonly tarball: string;
  /** What `npm pack` says of it: sizes in bytes. */
  readonly report: {
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string; readonly size: number }[];
  };
  /** A folder with `node_modules`, an ESM application. */
  readonly app: string;
  readonly installed: string;
  remove(): void;
}

const root = join(import.meta.dirname, '..');

/** Builds and packs outside of the tree, and unpacks beside the peers and SDKs that this repository has installed. */
export function pack(...more: readonly string[]): Packed {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-packed-'));
  const stage = join(folder, 'stage');
  const app = join(folder, 'app');
  const installed = join(app, 'node_modules/@plumbline/instrumentation');
  mkdirSync(stage, { recursive: true });
  mkdirSync(installed, { recursive: true });
  for (const name of ['package.json', 'README.md', 'LICENSE']) {
    cpSync(join(root, name), join(stage, name));
  }
  const quiet: ExecFileSyncOptionsWithStringEncoding = {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  };
  execFileSync(process.execPath, ['build.mjs', '--outDir', join(stage, 'dist')], {
    ...quiet,
    cwd: root,
  });
  const npm = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [report] = JSON.parse(execFileSync('npm', npm, { ...quiet, cwd: stage }));
  const tarball = join(folder, report.filename);
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of ['@opentelemetry', '@types', 'openai', 'zod', ...more]) {
    symlinkSync(join(modules(), name), join(app, 'node_modules', name));
  }
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "type": "module" }');
  return {
    tarball,
    report,
    app,
    installed,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Where this repository's dependencies are: at its root, which npm's workspaces share. */
export function modules(): string {
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    const found = join(folder, 'node_modules');
    if (existsSync(join(found, '@opentelemetry/api'))) return found;
  }
  throw new Error('the dependencies are not installed');
}

/** The manifest, as it is published. */
export function manifest({ installed }: Packed): Record<string, Record<string, unknown>> {
  return JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
}
