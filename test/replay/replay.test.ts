import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allDecisions, allTasks, ask, type Costs, type Numbers, numbers } from './ask.ts';
import { type CountedRun, countRun } from './count.ts';
import { type ReplaySummary, replayTo, type ServerProcess, startServer } from './processes.ts';
import { loadRecording } from './recording.ts';
import { decodeTaped, rebatch, send, startTape, type Tape, type TapedRequest } from './tape.ts';

const recording = loadRecording();
const counted = recording.runs.map((run) => countRun(run, recording.tools));
const total = (of: (run: CountedRun) => number) => counted.reduce((sum, run) => sum + of(run), 0);
const failures = (run: CountedRun) => run.calls.filter((call) => call.failed).length;
const successes = total((run) => Number(run.success));
const cost = total((run) => run.cost_usd);

let folder = '';
let server: ServerProcess;
let tape: Tape;
let summary: ReplaySummary;
let uninterrupted: Numbers;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-replay-'));
  server = await startServer(join(folder, 'first'));
  tape = await startTape(server.urls.otlp);
  summary = await replayTo(tape.url);
  await server.drained();
  uninterrupted = await numbers(server.urls.api);
}, 120_000);

afterAll(async () => {
  await server?.close();
  await tape?.close();
  await rm(folder, { recursive: true, force: true });
});

describe(`${recording.runs.length} recorded runs, replayed through the SDK, the instrumentation and OTLP`, () => {
  it('counts what the file is known to hold', () => {
    expect({
      runs: counted.length,
      successes,
      llm_calls: total((run) => run.llm_calls),
      tool_calls: total((run) => run.calls.length),
      tool_errors: total(failures),
    }).toEqual(
      recording.extent === 'full'
        ? { runs: 100, successes: 31, llm_calls: 1_381, tool_calls: 621, tool_errors: 63 }
        : { runs: 3, successes: 2, llm_calls: 47, tool_calls: 21, tool_errors: 5 },
    );
    expect(summary).toMatchObject({ tasks: counted.length, llm_calls: total((r) => r.llm_calls) });
  });

  it('has one task per run, with the numbers of the file', async () => {
    const tasks = await allTasks(server.urls.api);
    expect([...tasks.keys()].sort()).toEqual(counted.map((run) => run.task_id).sort());
    for (const run of counted) {
      const task = tasks.get(run.task_id);
      expect(task).toMatchObject({
        workflow: 'airline-support',
        state: 'done',
        outcome: run.success ? 'success' : 'failure',
        outcome_source: 'evaluation',
        llm_calls: run.llm_calls,
        tool_calls: run.calls.length,
        tool_errors: failures(run),
        input_tokens: run.input_tokens,
        output_tokens: run.output_tokens,
        cache_read_tokens: run.cache_read_tokens,
      });
      expect(task?.trace_ids).toHaveLength(1);
      expect(task?.cost_usd).toBeCloseTo(run.cost_usd, 9);
    }
  });

  it('costs per successful task what a hand calculation says, to 1e-9', async () => {
    const { groups } = await ask<Costs>(server.urls.api, '/api/v1/costs?group_by=workflow');
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ tasks: counted.length, successes, unpriced_models: [] });
    expect(Math.abs((groups[0]?.cost_usd ?? NaN) - cost)).toBeLessThan(1e-9);
    expect(Math.abs((groups[0]?.cost_per_success_usd ?? NaN) - cost / successes)).toBeLessThan(
      1e-9,
    );
  });

  it('has a decision for every LLM call, and gives every tool call its own result', async () => {
    const asked = await inParallel(counted, (run) => allDecisions(server.urls.api, run.task_id));
    let right = 0;
    for (const [place, run] of counted.entries()) {
      const all = asked[place] ?? [];
      const made = all.filter((decision) => decision.kind === 'inference');
      expect(made).toHaveLength(run.llm_calls);
      const calls = made.flatMap((decision, index) =>
        decision.chosen
          .filter((choice) => choice.type === 'tool_call' || choice.type === 'handoff')
          .map((choice) => {
            const result = decision.results.find((each) => each.call === choice.id);
            return {
              decision: index,
              call_id: choice.call_id,
              tool: choice.tool,
              arguments: choice.arguments,
              result: result?.preview,
              failed: result?.status === 'error',
            };
          }),
      );
      expect(calls, run.task_id).toEqual(run.calls);
      right += calls.length;
    }
    expect(right).toBe(total((run) => run.calls.length));
  });

  it('finds the errors in the text of results that came back ok', async () => {
    const run = counted.find((each) => failures(each) > 0);
    const decisions = await allDecisions(server.urls.api, run?.task_id ?? '');
    const errors = decisions.flatMap((d) => d.results).filter((r) => r.status === 'error');
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors.map((result) => result.detected_by))).toEqual(new Set(['content']));
  });

  it('changes no number when every request is sent again', async () => {
    await sendAll(tape.requests, server.urls.otlp);
    await server.drained();
    await expectSameNumbers(server.urls.api);
  });

  it('changes no number when the same data comes in other batches', async () => {
    const requests = rebatch(tape.requests, 700);
    expect(requests.length).not.toBe(tape.requests.length);
    await sendAll(requests, server.urls.otlp);
    await server.drained();
    await expectSameNumbers(server.urls.api);
  });

  it('has the same numbers after kill -9 in the middle, a restart and sending again', async () => {
    const data = join(folder, 'second');
    const first = await startServer(data);
    // The sample makes few requests; cut small, a kill still falls between them.
    const requests = recording.extent === 'full' ? tape.requests : rebatch(tape.requests, 5);
    const half = Math.floor(requests.length / 2);
    const acked = await sendAll(requests, first.urls.otlp, (sent) => {
      if (sent === half) void first.kill();
    });
    await first.kill();
    expect(acked.size).toBeGreaterThan(0);
    expect(acked.size).toBeLessThan(requests.length);

    const second = await startServer(data);
    try {
      await second.drained();
      const survived = await allTasks(second.urls.api);
      const whole = wholeTasks(requests, acked);
      if (recording.extent === 'full') expect(whole.size).toBeGreaterThan(0);
      for (const id of whole) {
        expect(survived.get(id)?.llm_calls).toBe(uninterrupted.tasks[id]?.llm_calls);
        expect(survived.get(id)?.tool_calls).toBe(uninterrupted.tasks[id]?.tool_calls);
      }

      await sendAll(requests, second.urls.otlp);
      await second.drained();
      await expectSameNumbers(second.urls.api);
    } finally {
      await second.close();
    }
  });

  it('lets a later verdict change cost per success and the SLO within 2 s', async () => {
    const api = server.urls.api;
    const lost = counted.find((run) => !run.success);
    const valid = await burnOf(api);
    expect(valid).toEqual({ valid: counted.length, bad: counted.length - successes });

    const posted = await fetch(`${api}/api/v1/outcomes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task_id: lost?.task_id, outcome: 'success', reason: 'appeal' }),
    });
    expect(posted.status).toBe(201);

    const deadline = Date.now() + 2_000;
    let unit = NaN;
    let burn = valid;
    do {
      const { groups } = await ask<Costs>(api, '/api/v1/costs?group_by=');
      unit = groups[0]?.cost_per_success_usd ?? NaN;
      burn = await burnOf(api);
    } while (burn.bad === valid.bad && Date.now() < deadline);
    expect(unit).toBeCloseTo(cost / (successes + 1), 9);
    expect(burn).toEqual({ valid: counted.length, bad: counted.length - successes - 1 });
  });
});

/** The numbers of the first, uninterrupted pass, and not those of an empty store. */
async function expectSameNumbers(api: string): Promise<void> {
  expect(Object.keys(uninterrupted.tasks)).toHaveLength(counted.length);
  expect(await numbers(api)).toEqual(uninterrupted);
}

/** Answers of `each` in the order of `items`, four at a time. */
async function inParallel<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [place, item] of queue) answers[place] = await each(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return answers;
}

/** Sends requests four at a time; the answer is those that were acked. A dead receiver is no error here. */
async function sendAll(
  requests: readonly TapedRequest[],
  otlp: string,
  onSent?: (sent: number) => void,
): Promise<Set<TapedRequest>> {
  const acked = new Set<TapedRequest>();
  let sent = 0;
  await inParallel(requests, async (request) => {
    const answer = await send(otlp, request).catch(() => undefined);
    if (answer?.status === 200) acked.add(request);
    sent += 1;
    onSent?.(sent);
  });
  return acked;
}

/** Ids of the tasks of which every request was acked. */
function wholeTasks(
  requests: readonly TapedRequest[],
  acked: ReadonlySet<TapedRequest>,
): Set<string> {
  const whole = new Set(counted.map((run) => run.task_id));
  for (const request of requests) {
    if (acked.has(request)) continue;
    const text = JSON.stringify(decodeTaped(request));
    for (const [id] of text.matchAll(/tau-airline-\d+-\d+/g)) whole.delete(id);
  }
  return whole;
}

interface Burn {
  readonly valid: number;
  readonly bad: number;
}

async function burnOf(api: string): Promise<Burn> {
  const answer = await ask<{ all: Burn }>(api, '/api/v1/slos/task_success_rate/burn');
  return { valid: answer.all.valid, bad: answer.all.bad };
}
