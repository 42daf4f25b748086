// `npx tsx test/compatibility/capture/agents.ts claude|codex <path of its binary> <folder>`: runs a coding agent against
// the scripted model, in an empty home, and keeps what its exporters send. `TRACES=1` has Claude Code send spans too.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startFakeLlm } from './llm.ts';
import { startRecorder } from './recorder.ts';

const [agent, binary = '', folder = '.'] = process.argv.slice(2);
const llm = await startFakeLlm();
const recorder = await startRecorder();
const home = mkdtempSync(join(tmpdir(), 'plumbline-agent-'));
const question = 'What is the weather in Paris?';

const claude = {
  args: ['-p', question, '--model', 'claude-sonnet-4-5'],
  env: {
    ANTHROPIC_BASE_URL: llm.url,
    ANTHROPIC_API_KEY: 'unused',
    CLAUDE_CODE_ENABLE_TELEMETRY: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ...(process.env['TRACES'] === undefined
      ? {}
      : { CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1', OTEL_TRACES_EXPORTER: 'otlp' }),
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_ENDPOINT: recorder.url,
  },
};
const codex = {
  args: ['exec', '--skip-git-repo-check', question],
  env: { CODEX_HOME: join(home, 'codex'), UNUSED_KEY: 'unused' },
};
mkdirSync(codex.env.CODEX_HOME);
writeFileSync(
  join(codex.env.CODEX_HOME, 'config.toml'),
  `model = "gpt-5-codex"
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "${llm.url}/v1"
env_key = "UNUSED_KEY"
wire_api = "responses"
[otel]
exporter = { otlp-http = { endpoint = "${recorder.url}/v1/logs", protocol = "binary" } }
`,
);

const { args, env } = agent === 'claude' ? claude : codex;
const child = spawn(binary, args, {
  env: { PATH: process.env['PATH'], HOME: home, ...env },
  cwd: home,
  stdio: ['ignore', 'inherit', 'inherit'],
});
const code = await new Promise((resolve) => child.on('exit', resolve));
console.log(`exit ${code}, ${recorder.requests.length} requests`);
recorder.requests.forEach(({ signal, encoding, body }, i) => {
  writeFileSync(join(folder, `${agent}.${i}.${signal}.${encoding}.gz`), gzipSync(body));
});
await llm.close();
await recorder.close();
