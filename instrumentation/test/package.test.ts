import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as api from '../src/index.ts';
import { type FakeLlm, startFakeLlm } from './fake-llm.ts';
import { type FakeReceiver, startFakeReceiver } from './fake-receiver.ts';
import { manifest, modules, type Packed, pack } from './packed.ts';

// Builds, packs and starts processes, on machines that may have two slow cores.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let packed: Packed;
let llm: FakeLlm;
let receiver: FakeReceiver;
beforeAll(async () => {
  packed = pack();
  [llm, receiver] = await Promise.all([startFakeLlm(), startFakeReceiver()]);
});
afterAll(async () => {
  await Promise.all([llm.close(), receiver.close()]);
  packed.remove();
});

const bin = (name: string): string => join(modules(), '.bin', name);
const run = promisify(execFile);

const environment = (endpoint = receiver.url) => ({
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
  LLM: llm.url,
  OPENAI_BASE_URL: `${llm.url}/v1`,
  OPENAI_API_KEY: 'k',
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
});

/** Runs a file of the application; gives its error output. */
async function node(...options: string[]): Promise<string> {
  const { stderr } = await run(process.execPath, options, {
    cwd: packed.app,
    env: environment(),
  });
  return stderr;
}

const spansOf = (workflow: string) =>
  receiver.spans.filter((span) => span['agent.task.workflow'] === workflow).map(({ name }) => name);

describe('what npm would publish', () => {
  it('is code, declarations, license and README, in less than 200 kB', () => {
    const { files, unpackedSize } = packed.report;
    const kinds = files.map(({ path }) => path.replace(/^dist\/.*?((\.d)?\.[jt]s)$/, 'dist/*$1'));
    expect([...new Set(kinds)].sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist/*.d.ts',
      'dist/*.js',
      'package.json',
    ]);
    expect(files.map(({ path }) => path).filter((path) => path.includes('test.'))).toEqual([]);
    expect(unpackedSize).toBeLessThan(200_000);
  });

  it('depends on nothing; its peers reach into both lines of OpenTelemetry', () => {
    const { dependencies, peerDependencies = {}, peerDependenciesMeta } = manifest(packed);
    expect(dependencies ?? {}).toEqual({});
    const imported = readdirSync(join(packed.installed, 'dist'))
      .filter((name) => name.endsWith('.js'))
      .flatMap((name) =>
        [
          ...readFileSync(join(packed.installed, 'dist', name), 'utf8').matchAll(
            /\b(?:from|import)\s*\(?"([@a-z][\w@./:-]*)"/g,
          ),
        ].map((match) => String(match[1])),
      )
      .filter((name) => !name.startsWith('node:'));
    const optional = '@pydantic/genai-prices';
    expect([...new Set(imported), optional].sort()).toEqual(Object.keys(peerDependencies).sort());
    expect(peerDependencies['@opentelemetry/api']).toBe('^1.9.0');
    expect(Object.keys(peerDependenciesMeta ?? {})).not.toContain('@opentelemetry/api');
  });

  it('keeps the docstrings in its declarations', () => {
    const text = readFileSync(join(packed.installed, 'dist/task.d.ts'), 'utf8');
    expect(text).toContain('Runs `fn` as a task');
  });

  it('satisfies publint', () => {
    const said = execFileSync(bin('publint'), ['run', packed.tarball, '--strict'], {
      encoding: 'utf8',
    });
    expect(said).toContain('All good!');
  });

  it('resolves with its types from every kind of importer that can load it', () => {
    const options = ['--profile', 'esm-only', '--format', 'json', packed.tarball];
    const { analysis } = JSON.parse(
      execFileSync(bin('attw'), options, { encoding: 'utf8', maxBuffer: 1 << 24 }),
    ) as { analysis: { problems: { kind: string; resolutionKind?: string }[] } };
    const left = analysis.problems.filter(
      ({ kind, resolutionKind }) =>
        // CommonJS requires it as ESM, which every supported Node can; "node10" is a resolution that knows no `exports`.
        kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10',
    );
    expect(left).toEqual([]);
  });
});

/** An application: a task with a model call. */
const application = (load: string, workflow: string, model = 'm'): string => `
  ${load}
  register();
  withTask({ workflow: '${workflow}' }, async () => {
    const response = await fetch(process.env.LLM + '/v1/chat/completions', {
      method: 'POST', body: JSON.stringify({ model: '${model}', messages: [] }),
    });
    if ((await response.json()).id !== 'chatcmpl-1') throw new Error('another answer');
  });
`;
/** No code of ours. */
const nothing = 'const register = () => 0, withTask = (_, fn) => fn();';
const required = `
  const { withTask } = require('@plumbline/instrumentation');
  const { register } = require('@plumbline/instrumentation/node');
`;
const imported = `
  import { withTask } from '@plumbline/instrumentation';
  import { register } from '@plumbline/instrumentation/node';
`;
/** Node 20 tells of `require` of ESM with a warning that no library can prevent. */
const warning =
  /^\(node:\d+\) ExperimentalWarning: .*require\(\).* ES Module.*\n(\(Use `node --trace-warnings .*\n)?/;

describe.concurrent('an application sends its task and model call', () => {
  const both = (workflow: string) => ['chat m', `invoke_workflow ${workflow}`];

  it.each([
    ['CommonJS-bundle', 'cjs', 'bundle.cjs', required],
    ['ESM-bundle', 'esm', 'bundle.mjs', imported],
  ] as const)('from a %s', async (workflow, format, outfile, load) => {
    await build({
      stdin: { contents: application(load, workflow), resolveDir: packed.app },
      absWorkingDir: packed.app,
      nodePaths: [modules()],
      bundle: true,
      platform: 'node',
      format,
      outfile,
      logLevel: 'error',
      ...(format === 'esm' && {
        banner: {
          js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        },
      }),
    });
    expect(await node(outfile)).toBe('');
    expect(spansOf(workflow)).toEqual(both(workflow));
  });

  it('without a line of ours, by --require', async () => {
    writeFileSync(join(packed.app, 'plain.cjs'), application(nothing, '', 'required'));
    const said = await node('--require', '@plumbline/instrumentation/register', 'plain.cjs');
    expect(said.replace(warning, '')).toBe('');
    expect(receiver.spans.filter(({ name }) => name === 'chat required')).toHaveLength(1);
  });
});

describe.concurrent('without a line of ours, by --import,', () => {
  const ask = (model: string): string => `
    const response = await fetch(process.env.LLM + '/v1/chat/completions', {
      method: 'POST', body: JSON.stringify({ model: ${model}, messages: [] }),
    });
    await response.json();
  `;
  const modelsOf = (kind: string) =>
    receiver.spans
      .map((span) => String(span['gen_ai.request.model']))
      .filter((model) => model.startsWith(kind))
      .toSorted();
  const run = async (file: string, code: string): Promise<string> => {
    writeFileSync(join(packed.app, file), code);
    return node('--import', '@plumbline/instrumentation/register', file);
  };

  it('workers of a cluster send theirs, each', async () => {
    const code = `
      import cluster from 'node:cluster';
      if (cluster.isPrimary) {
        for (const MODEL of ['cluster-1', 'cluster-2']) cluster.fork({ MODEL });
      } else {
        ${ask('process.env.MODEL')}
        cluster.worker.disconnect();
      }
    `;
    expect(await run('cluster.mjs', code)).toBe('');
    expect(modelsOf('cluster')).toEqual(['cluster-1', 'cluster-2']);
  });

  it('threads send theirs, beside their process', async () => {
    const code = `
      import { isMainThread, Worker, workerData } from 'node:worker_threads';
      if (isMainThread) new Worker(new URL(import.meta.url), { workerData: 'thread-2' });
      ${ask("workerData ?? 'thread-1'")}
    `;
    expect(await run('thread.mjs', code)).toBe('');
    expect(modelsOf('thread')).toEqual(['thread-1', 'thread-2']);
  });

  it('an application that leaves by itself flushes before', async () => {
    const code = `
      import { handle } from '@plumbline/instrumentation/register';
      ${ask("'leaving'")}
      await handle.flush();
      process.exit(0);
    `;
    expect(await run('leaving.mjs', code)).toBe('');
    expect(modelsOf('leaving')).toEqual(['leaving']);
  });
});

interface Block {
  readonly title: string;
  readonly language: string;
  readonly code: string;
}

/** The examples of the README, with the heading they stand under. */
function examples(): Block[] {
  const blocks: Block[] = [];
  let title = '';
  const text = readFileSync(join(packed.installed, 'README.md'), 'utf8');
  for (const match of text.matchAll(/^#+ (.+)$|^```(\w+)\n([\s\S]*?)^```$/gm)) {
    const [, heading, language = '', code = ''] = match;
    if (heading === undefined) blocks.push({ title, language, code });
    else title = heading;
  }
  return blocks;
}

/** What an example sends: names of its spans, sorted, and the states of its tasks. */
interface Sent {
  readonly spans: readonly string[];
  readonly states: readonly string[];
  readonly out?: string;
  /** Where the example only defines what its reader calls. */
  readonly call?: string;
}

const done = ['running', 'done'];
const expected: Readonly<Record<string, Sent>> = {
  'With code ts': {
    spans: ['chat gpt-4o', 'execute_tool lookup_order', 'invoke_workflow support'],
    states: ['running', 'running', 'done'],
  },
  'With code js': { spans: ['chat gpt-4o', 'invoke_workflow triage'], states: done },
  'Limits ts': {
    spans: [
      'execute_tool refund',
      'execute_tool search',
      'execute_tool search',
      'execute_tool search',
      'invoke_workflow refund',
    ],
    states: done,
  },
  'Approval in another process ts': {
    spans: ['invoke_workflow refund', 'invoke_workflow refund'],
    states: ['running', 'waiting_for_approval', 'running', 'done'],
  },
  'Queues and child processes ts': {
    spans: ['invoke_workflow import'],
    states: ['queued', 'running', 'done'],
    out: "[ 'traceparent', 'baggage' ] true\n",
  },
  'Functions that are frozen between calls ts': {
    spans: ['invoke_workflow refund'],
    states: done,
    call: "console.log(await handler({ order: 'o-1' }));",
    out: "{ refunded: 'o-1' }\n",
  },
  'Tests of your agents ts': { spans: [], states: [] },
  'Settings ts': {
    spans: ['invoke_workflow own'],
    states: done,
    call: "(await import('@plumbline/instrumentation')).withTask({ workflow: 'own' }, () => 1);",
  },
};

describe('the README', () => {
  const local = 'http://127.0.0.1:4318';
  const codeOf = ({ code, title, language }: Block): string =>
    `${code}\n${expected[`${title} ${language}`]?.call ?? ''}`;

  it('has the examples that are tried here', () => {
    const titles = examples().map(({ title, language }) => `${title} ${language}`);
    const shell = ['@plumbline/instrumentation sh', 'Without code sh'];
    expect(titles.toSorted()).toEqual([...Object.keys(expected), ...shell].toSorted());
  });

  it('names all that is exported', () => {
    const text = readFileSync(join(packed.installed, 'README.md'), 'utf8');
    expect(Object.keys(api).filter((name) => !text.includes(name))).toEqual([]);
  });

  it('installs exactly the peers, in versions that they allow', () => {
    const { peerDependencies = {} } = manifest(packed);
    const [block] = examples();
    const named = [...(block?.code ?? '').matchAll(/(@\S+?)@([\d.]+)/g)].map(([, name]) => name);
    const wanted = Object.keys(peerDependencies).filter((name) => !name.includes('genai-prices'));
    expect(named.toSorted()).toEqual(wanted.toSorted());
  });

  it('has examples whose types are right, also for declarations of our own', () => {
    const blocks = examples().filter(({ language }) => language === 'ts');
    const files = blocks.map((block, index) => {
      writeFileSync(join(packed.app, `typed-${index}.ts`), `${codeOf(block)}\nexport {};`);
      return `typed-${index}.ts`;
    });
    const options = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023' };
    const check = (name: string, compilerOptions: object, include: string[]): void => {
      const file = join(packed.app, name);
      writeFileSync(file, JSON.stringify({ compilerOptions, files: include }));
      execFileSync(bin('tsc'), ['-p', file], { stdio: 'pipe', encoding: 'utf8' });
    };
    const entries = ['.', './node', './register', './testing'].map(
      (entry) => `export * as e${entry.length} from '@plumbline/instrumentation${entry.slice(1)}';`,
    );
    writeFileSync(join(packed.app, 'entries.ts'), entries.join('\n'));
    const said = (run: () => void): string => {
      try {
        run();
        return '';
      } catch (error) {
        return String((error as { stdout?: string }).stdout);
      }
    };
    expect(
      said(() =>
        check('tsconfig.json', { ...options, types: ['node'], skipLibCheck: true }, files),
      ),
    ).toBe('');
    expect(
      said(() => check('tsconfig.own.json', { ...options, types: ['node'] }, ['entries.ts'])),
    ).toBe('');
  });

  it.concurrent.each(Object.entries(expected))('%s runs', async (name, sent) => {
    const own = await startFakeReceiver();
    const block = examples().find(({ title, language }) => `${title} ${language}` === name);
    const code = codeOf(block!).replaceAll(local, own.url);
    const common = block?.language === 'js';
    const file = `${name.replace(/\W+/g, '-')}.${common ? 'cjs' : 'mjs'}`;
    const plain = common ? code : (await transform(code, { loader: 'ts' })).code;
    writeFileSync(join(packed.app, file), plain);
    const registers = /register\(|recordTasks\(|processors\(/.test(code);
    const { stdout, stderr } = await run(
      process.execPath,
      [...(registers ? [] : ['--import=@plumbline/instrumentation/register']), file],
      { cwd: packed.app, env: environment(own.url) },
    );
    expect([stdout, stderr.replace(warning, '')]).toEqual([sent.out ?? '', '']);
    expect(own.spans.map((span) => span['name']).toSorted()).toEqual(sent.spans);
    const states = own.logs.map((log) => log['agent.task.state']);
    expect(states.filter((state) => state !== undefined)).toEqual(sent.states);
    await own.close();
  });

  it('instruments without code', async () => {
    const own = await startFakeReceiver();
    writeFileSync(join(packed.app, 'app.js'), application(nothing, ''));
    const block = examples().find(({ title }) => title === 'Without code');
    const command = String(block?.code).replaceAll(local, own.url);
    const { stderr } = await run('sh', ['-c', command], { cwd: packed.app, env: environment() });
    expect(stderr).toBe('');
    expect(own.spans.map(({ name }) => name)).toEqual(['chat m']);
    expect(own.resources[0]?.['service.name']).toBe('support');
    await own.close();
  });
});
