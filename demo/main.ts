import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { register } from '@plumbline/instrumentation';
import OpenAI from 'openai';
import { BadSetting, type Config, readConfig } from '../config.ts';
import { type Plumbline, start } from '../serve/serve.ts';
import { backfill } from './backfill.ts';
import { pastTasks } from './history.ts';
import { serveAll } from './live.ts';
import { startLlm } from './llm.ts';
import { scriptedModel } from './model.ts';
import {
  type Burn,
  type Costs,
  costLine,
  type Drift,
  driftLine,
  nextLines,
  progressText,
  sloLine,
} from './print.ts';
import { SHOWN_TASK, scenarios } from './scenarios.ts';

const SERVICE = 'plumbline-demo';
const PAST_TASKS = 3_000;
const SEED = 1042;
const TARGET_USD = 0.5;

const begun = performance.now();

async function main(): Promise<void> {
  const config = readConfig();
  await refuseSecond(config);
  // A directory of its own below the configured one, so that no run of the demo touches anybody's data.
  const data = join(config.data, 'demo');
  await rm(data, { recursive: true, force: true });
  say(`Plumbline demo: starts everything in this process (data in ${data})`);
  const { clickhouseUrl: _unused, ...embedded } = config;
  const plumbline = await start({ ...embedded, clickhouseUrl: undefined, data, project: 'demo' });
  stopOnSignal(plumbline);
  await loadHistory(plumbline);
  await serveCustomers(plumbline);
  await explain(plumbline.urls);
}

/** The data directory is emptied at the start: that must not happen under a demo that is running. */
async function refuseSecond({ host, port }: Config): Promise<void> {
  const answer = await fetch(`http://${host}:${port}/healthz`).catch(() => undefined);
  if (answer === undefined) return;
  throw new BadSetting(
    `port ${port} is taken: stop the other process, or set PLUMBLINE_PORT and PLUMBLINE_OTLP_PORT`,
  );
}

async function loadHistory({ urls, drained }: Plumbline): Promise<void> {
  const tasks = pastTasks({ tasks: PAST_TASKS, until: new Date(), seed: SEED });
  const label = 'history of seven days (generated), sent as OTLP   ';
  await backfill(tasks, {
    otlp: urls.otlp,
    service: SERVICE,
    onProgress: (sent, total) => progress(label, sent, total),
  });
  await drained();
}

async function serveCustomers({ urls, drained }: Plumbline): Promise<void> {
  const label = 'live tasks of an agent, real openai SDK, scripted LLM   ';
  const llm = await startLlm(scriptedModel(scenarios));
  // Before the client is made: the SDK keeps the fetch that it finds then.
  const telemetry = await register({
    serviceName: SERVICE,
    endpoint: urls.otlp,
    content: 'full',
    resourceAttributes: { 'service.version': '2.3.0', 'deployment.environment.name': 'demo' },
  });
  const client = new OpenAI({ baseURL: llm.url, apiKey: 'none', maxRetries: 2 });
  const report = await serveAll(scenarios, client, (served) =>
    progress(label, served, scenarios.length),
  );
  await telemetry.shutdown();
  await llm.close();
  await drained();
  say(
    `  ${report.crashed.length} crashed, ${report.resumed.length} resumed in a second trace after approval`,
  );
}

async function explain(urls: Plumbline['urls']): Promise<void> {
  const get = async (path: string, accept: string) => {
    const response = await fetch(urls.api + path, { headers: { accept } });
    if (response.ok) return response;
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const json = async <T>(path: string) => (await (await get(path, 'application/json')).json()) as T;
  const why = await get(`/api/v1/tasks/${SHOWN_TASK}/decisions`, 'text/plain');
  say(`  ready after ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
  say((await why.text()).trimEnd());
  const costs = await json<Costs>('/api/v1/costs?group_by=workflow&from=now-7d');
  say(costLine(costs, 'support', TARGET_USD));
  say(sloLine(await json<Burn>('/api/v1/slos/task_success_rate/burn'), 'support'));
  say(driftLine(await json<Drift>('/api/v1/drift'), 'support'));
  for (const line of nextLines(urls, SHOWN_TASK)) say(line);
}

/** On a terminal one line that fills up; in a log file a line at the start and one at the end. */
function progress(label: string, done: number, total: number): void {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r${label}${progressText(done, total)}${done === total ? '\n' : ''}`);
  } else if (done === total) {
    say(label + progressText(done, total));
  }
}

function say(text: string): void {
  console.log(text);
}

function stopOnSignal(plumbline: Plumbline): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(130);
    stopping = true;
    await plumbline.close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
}

try {
  await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`The demo cannot run: ${message}`);
  process.exit(error instanceof BadSetting ? 78 : 1);
}
