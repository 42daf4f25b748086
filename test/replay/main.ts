// Replays the recorded runs to an OTLP receiver: `node --conditions=app-source --import tsx test/replay/main.ts
// http://127.0.0.1:4318 [speed]`. Latencies are simulated; at the default speed every answer comes at once.
import { register } from '@plumbline/instrumentation';
import OpenAI from 'openai';
import { startLlm } from '../../demo/llm.ts';
import type { ReplaySummary } from './processes.ts';
import { recordedModel } from './recorded-model.ts';
import { loadRecording } from './recording.ts';
import { replayRun } from './replay.ts';

/** Runs replayed at once. */
const CONCURRENCY = 8;

const [endpoint = 'http://127.0.0.1:4318', speed = 'Infinity'] = process.argv.slice(2);
const startedAt = Date.now();
const recording = loadRecording();
// Before the client is made: the SDK keeps the fetch that it finds then.
const telemetry = await register({ serviceName: 'tau-bench', endpoint, content: 'full' });
const llm = await startLlm(recordedModel(recording, Number(speed)));
const client = new OpenAI({ baseURL: llm.url, apiKey: 'none', maxRetries: 0 });

let calls = 0;
const queue = recording.runs.values();
const worker = async () => {
  for (const run of queue) {
    const made = await replayRun(run, recording.tools, client);
    calls += made;
  }
};
await Promise.all(Array.from({ length: CONCURRENCY }, worker));
await telemetry.shutdown();
await llm.close();

const lost = telemetry.stats();
if (lost.droppedSpans + lost.strippedSpans + Object.keys(lost.failures).length > 0) {
  throw new Error(`telemetry was lost: ${JSON.stringify(lost)}`);
}
const summary: ReplaySummary = {
  tasks: recording.runs.length,
  llm_calls: calls,
  ms: Date.now() - startedAt,
};
if (process.send) process.send(summary, () => process.disconnect());
else console.log(summary);
