import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type ApprovalPolicy,
  agent,
  approval,
  resumeTask,
  type TaskOptions,
  tool,
  withTask,
} from '../../instrumentation/src/index.ts';
import { newCounters } from '../../instrumentation/src/queue-counters.ts';
import { findingsOf, recordTasks } from '../../instrumentation/src/testing.ts';
import { rules } from '../../query/findings/rules.ts';
import { type Instance, newInstance } from '../faults/instance.ts';
import {
  anthropicSays,
  calls,
  type Reply,
  type ScriptedModel,
  says,
  startScriptedModel,
  tooMany,
} from './scripted-model.ts';
import { startWireTap, type WireTap } from './wire-tap.ts';

// Agents run here as their users run them, at the default content level; what they send goes to a Plumbline in a process of
// its own, and its findings say which rules could be decided from it.

// So that waits take milliseconds and not minutes, and answers do not have to be long.
const settings = `
rules:
  rate_limited: { seconds: 0.02 }
  human_wait: { seconds: 0.02 }
  tool_call_avalanche: { calls: 3 }
  cache_churn: { write_tokens: 1000 }
expect:
  strict: { forbidden: [wipe] }
retired_models: { gpt-4o: null, gpt-4o-2024-08-06: null }
`;

const secret = 'xyzzy-content-7731';
const definition = (name: string, properties: object = { q: { type: 'number' } }) => ({
  type: 'function' as const,
  function: { name, description: secret, parameters: { type: 'object', properties } },
});

type Run = (input: never) => unknown;
interface Scenario {
  readonly replies: readonly Reply[];
  readonly options?: Partial<TaskOptions>;
  readonly model?: string;
  /** Tools of the application by name; each is offered to the model. */
  readonly tools?: Readonly<Record<string, Run>>;
  /** Instead of the usual loop. */
  readonly run?: (client: OpenAI) => Promise<unknown>;
  readonly approvals?: ApprovalPolicy;
}

let count = 0;
const read = async (input: { q?: number }) => ({ found: `${secret} ${input.q}` });
const look = tool({ name: 'look', effect: 'read' }, read);
const save = tool({ name: 'save', effect: 'write' }, async (_: { q: number }) => {
  count += 1;
  return `saved as ${count}`;
});
const broken = tool({ name: 'send' }, async (): Promise<string> => {
  throw new Error(secret);
});
const pay = tool({ name: 'pay', risk: 'high', effect: 'write' }, async () => 'paid');
const one = { q: 1 };

/** One scenario per rule, and what else is rightly found in it. */
const scenarios: Record<string, Scenario> = {
  clean: { replies: [calls(['look', one]), says('done')], tools: { look } },
  hallucinated_tool: { replies: [calls(['vanish', one]), says('done')], tools: { look } },
  invalid_arguments: {
    replies: [calls(['add', { n: 'one' }]), says('done')],
    tools: { add: tool({ name: 'add', input: z.object({ n: z.number() }) }, async () => 1) },
  },
  'invalid_arguments (not JSON)': {
    replies: [calls(['look', '{"q": 1']), says('done')],
    tools: { look: read },
  },
  'invalid_arguments (offered schema)': {
    replies: [calls(['look', { q: 'one' }]), says('done')],
    tools: { look: read },
  },
  tool_error: { replies: [calls(['send', {}]), says('done')], tools: { send: broken } },
  silent_tool_failure: {
    replies: [calls(['find', one]), says('done')],
    tools: { find: tool({ name: 'find' }, async () => 'Error: no such order') },
  },
  'silent_tool_failure (inferred)': {
    replies: [calls(['find', one]), says('done')],
    tools: { find: async () => JSON.stringify({ error: 'no such order' }) },
  },
  'silent_tool_failure (own check)': {
    replies: [calls(['find', one]), says('done')],
    tools: {
      find: tool({ name: 'find', output: z.object({ id: z.string() }) }, async () => ({ id: 7 })),
    },
  },
  duplicate_side_effect: {
    replies: [calls(['save', one]), calls(['save', one]), says('done')],
    tools: { save },
  },
  repeated_call: {
    replies: [calls(['look', one]), calls(['look', one]), says('done')],
    tools: { look },
  },
  'repeated_call (inferred)': {
    replies: [calls(['look', one]), calls(['look', one]), says('done')],
    tools: { look: read },
  },
  loop: {
    replies: [1, 2, 3].map(() => calls(['look', one])).concat(says('done')),
    tools: { look },
  },
  retry_storm: {
    replies: [1, 2, 3].map((q) => calls(['send', { q }])).concat(says('done')),
    tools: { send: broken },
  },
  tool_call_avalanche: {
    replies: [calls(...[1, 2, 3, 4].map((q) => ['look', { q }] as const)), says('done')],
    tools: { look },
  },
  limit_exceeded: {
    replies: [calls(['look', one]), says('never asked for')],
    tools: { look },
    options: { budget: { llmCalls: 1 } },
  },
  'limit_exceeded (cut off)': {
    replies: [calls(['look', one])],
    run: async (client) => {
      await ask(client, ['look']);
      await look(one);
    },
  },
  context_pressure: {
    replies: [says('done', { usage: { prompt_tokens: 120_000, completion_tokens: 5 } })],
  },
  cache_churn: {
    replies: [anthropicSays('done', 30_000)],
    run: async () => {
      const answer = await fetch('https://api.anthropic.com/v1/messages', {
        method: 'POST',
        headers: { 'x-scenario': 'cache_churn' },
        body: JSON.stringify({
          model: 'claude-sonnet-4-5',
          max_tokens: 9,
          messages: [{ role: 'user', content: secret }],
        }),
      });
      await answer.json();
    },
  },
  rate_limited: { replies: [tooMany(40), says('done')] },
  human_wait: {
    replies: [],
    run: async () => {
      const token = await withTask({ workflow: 'w', id: 'human_wait' }, async (task) =>
        task.suspend({ reason: 'a person decides' }),
      );
      await sleep(40);
      resumeTask(token, () => undefined);
    },
  },
  unapproved_risky_action: { replies: [calls(['pay', {}]), says('done')], tools: { pay } },
  'clean (approved)': {
    replies: [calls(['pay', {}]), says('done')],
    tools: { pay },
    approvals: { approver: () => ({ status: 'approved', by: 'ann' }) },
  },
  'clean (approved elsewhere)': {
    replies: [calls(['pay', {}]), says('done')],
    tools: { pay },
    run: async (client) => {
      const answer = await ask(client, ['pay']);
      const [asked] = answer.tool_calls ?? [];
      const id = approval.request({ action: 'pay', callId: asked?.id, risk: 'high' });
      approval.decide(id, { status: 'approved', by: 'ann' });
      await pay(undefined as never, { toolCallId: String(asked?.id) });
      await ask(client, ['pay']);
    },
  },
  blocked_action: {
    replies: [calls(['pay', {}]), says('done')],
    tools: { pay },
    approvals: { approver: () => ({ status: 'denied', reason: 'too much' }) },
  },
  handoff_failed: {
    replies: [calls(['transfer_to_billing', {}]), says('done')],
    tools: { transfer_to_billing: tool({ name: 'transfer_to_billing' }, broken) },
    run: async (client) => {
      agent({ name: 'billing' }, () => undefined);
      await loop(client, scenarios['handoff_failed']?.tools ?? {});
    },
  },
  duplicate_task: {
    replies: [says('done'), says('done')],
    options: { id: 'duplicate_task', idempotencyKey: 'order-7' },
    run: async (client) => {
      await withTask({ workflow: 'w', id: 'first of two', idempotencyKey: 'order-7' }, () =>
        ask(client, []),
      );
      await sleep(5);
      await withTask({ workflow: 'w', id: 'duplicate_task', idempotencyKey: 'order-7' }, () =>
        ask(client, []),
      );
    },
  },
  expectation_violated: {
    replies: [calls(['wipe', {}]), says('done')],
    tools: { wipe: tool({ name: 'wipe' }, async () => 'wiped') },
    options: { workflow: 'strict' },
  },
  deprecated_model: { replies: [says('done', { model: 'gpt-4-0613' })], model: 'gpt-4-0613' },
  model_substituted: { replies: [says('done', { model: 'gpt-4o-mini-2024-07-18' })] },
  provider_failover: {
    replies: [{ status: 500, body: { error: { message: 'down' } } }, says('done')],
    run: async (client) => {
      await ask(client, []).catch(() => undefined);
      await ask(clientOf('provider_failover', 'https://api.groq.com/openai/v1'), []);
    },
  },
  truncated_output: { replies: [says('and then', { finish: 'length' })] },
  empty_answer: { replies: [says('')] },
  refusal: { replies: [says('', { refusal: 'I cannot help with that' })] },
};

/** Decided against what was learnt on days before; that it can be learnt is checked below. */
const learnt = new Set(['cost_runaway']);

function clientOf(scenario: string, baseURL = 'https://api.openai.com/v1'): OpenAI {
  const defaultHeaders = { 'x-scenario': scenario };
  return new OpenAI({
    apiKey: 'k',
    baseURL,
    defaultHeaders,
    maxRetries: scenario === 'rate_limited' ? 1 : 0,
  });
}

type Messages = OpenAI.ChatCompletionMessageParam[];
const opening = (): Messages => [
  { role: 'system', content: `You help. ${secret}` },
  { role: 'user', content: secret },
];

async function ask(client: OpenAI, tools: string[], messages = opening(), model = 'gpt-4o') {
  const offered = tools.map((name) =>
    definition(name, name === 'add' ? { n: { type: 'number' } } : undefined),
  );
  const answer = await client.chat.completions.create({
    model,
    messages,
    ...(offered.length > 0 && { tools: offered }),
  });
  return answer.choices[0]!.message;
}

/** An agent as everybody writes it: errors of tools and of JSON go to the model as text. */
async function loop(client: OpenAI, tools: Readonly<Record<string, Run>>, model?: string) {
  const messages = opening();
  for (let turn = 0; turn < 9; turn += 1) {
    const message = await ask(client, Object.keys(tools), messages, model);
    messages.push(message);
    if (!message.tool_calls?.length) return;
    for (const call of message.tool_calls) {
      if (call.type !== 'function') continue;
      let content: string;
      try {
        const input = JSON.parse(call.function.arguments) as never;
        const result = await tools[call.function.name]!(input);
        content = typeof result === 'string' ? result : JSON.stringify(result);
      } catch (error) {
        content = `it did not work: ${String(error)}`;
      }
      messages.push({ role: 'tool', tool_call_id: call.id, content });
    }
  }
}

let model: ScriptedModel;
let plumbline: Instance;
let tap: WireTap;
let directory: string;
const ownTask = new Set(['human_wait', 'duplicate_task']);

async function play(name: string, { replies, tools = {}, ...scenario }: Scenario): Promise<void> {
  model.script(name, replies);
  const client = clientOf(name);
  const run = () => scenario.run?.(client) ?? loop(client, tools, scenario.model);
  if (ownTask.has(name)) await run();
  else {
    await withTask({ workflow: 'w', id: name, ...scenario.options }, async () => {
      await run();
    }).catch((error: unknown) => {
      if (!(error instanceof OpenAI.APIError) || error.code !== 'budget_exceeded') throw error;
    });
  }
}

/** What the package's own `findingsOf` says of each task. */
const told = new Map<string, string[]>();

async function playAll(): Promise<void> {
  const policies = new Set(Object.values(scenarios).map(({ approvals }) => approvals));
  for (const approvals of policies) {
    const options = { endpoint: tap.url, serviceName: 'agents', otlp: true, approvals };
    const recorder = recordTasks(options);
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (scenario.approvals !== approvals) continue;
      await play(name, scenario);
      told.set(
        name,
        findingsOf(recorder.task(name)).map(({ finding }) => finding),
      );
    }
    expect(recorder.handle.stats()).toEqual({ ...newCounters(), failures: {} });
    await recorder.shutdown();
  }
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'plumbline-rules-'));
  const file = join(directory, 'findings.yaml');
  writeFileSync(file, settings);
  model = await startScriptedModel();
  plumbline = newInstance({
    name: 'rules',
    data: join(directory, 'data'),
    env: { PLUMBLINE_FINDINGS: file },
  });
  await plumbline.start();
  tap = await startWireTap(plumbline.urls.otlp);
  await playAll();
  await plumbline.drained(60);
  await Promise.all([...told.keys()].map(findingsAt));
});
afterAll(async () => {
  await tap?.close();
  await plumbline?.kill();
  await model?.close();
  rmSync(directory, { recursive: true, force: true });
});

const found = new Map<string, Promise<string[]>>();

/** What the server finds in a task; asked once, all at the same time. */
function findingsAt(task: string): Promise<string[]> {
  const asked = found.get(task) ?? findings(task);
  found.set(task, asked);
  return asked;
}

async function findings(task: string): Promise<string[]> {
  const path = `/api/v1/tasks/${encodeURIComponent(task)}/decisions`;
  const response = await fetch(`${plumbline.urls.api}${path}`);
  expect(response.status, task).toBe(200);
  const answer = (await response.json()) as { findings: { finding: string }[] };
  return answer.findings.map(({ finding }) => finding);
}

const ruleOf = (name: string): string => name.replace(/ \(.*\)$/, '');

describe('at the default content level', () => {
  it('every rule that needs metadata only is tried here', () => {
    const metadata = rules.filter(({ level }) => level === 'M').map(({ id }) => id);
    const tried = new Set(Object.keys(scenarios).map(ruleOf));
    expect(metadata.filter((id) => !tried.has(id) && !learnt.has(id))).toEqual([]);
  });

  it.each(Object.keys(scenarios).filter((name) => ruleOf(name) !== 'clean'))(
    '%s is found',
    async (name) => {
      expect(await findingsAt(name)).toContain(ruleOf(name));
    },
  );

  it.each(Object.keys(scenarios).filter((name) => ruleOf(name) === 'clean'))(
    '%s: nothing is found where nothing is wrong',
    async (name) => {
      expect(await findingsAt(name)).toEqual([]);
    },
  );

  it('what rules learn from is sent: usage that can be priced, and shapes of results', async () => {
    const task = await fetch(`${plumbline.urls.api}/api/v1/tasks/clean`);
    // Two calls of gpt-4o, 120 tokens in and 25 out each, at 2.5 and 10 dollars for a million.
    expect(await task.json()).toMatchObject({ cost_usd: 0.0011, unpriced_models: [] });
    expect(
      tap.text().includes('"agent.tool.result.shape","value":{"stringValue":"object{found}"'),
    ).toBe(true);
  });

  it('what findingsOf of the package tells without a server, the server tells too', async () => {
    expect(told.get('loop')).toEqual(['loop']);
    for (const [name, findings] of told) {
      expect(await findingsAt(name), name).toEqual(expect.arrayContaining(findings));
    }
  });

  it('no content is sent: no message, argument, result, error text or description', () => {
    const sent = tap.text();
    const leaked = [secret, 'no such order', 'cannot help'].filter((text) => sent.includes(text));
    expect(leaked).toEqual([]);
    expect(sent.includes('agent.prompt.fingerprint')).toBe(true);
  });

  it('nothing of ours goes to a provider', () => {
    const added = new Set(model.headers.flatMap((headers) => Object.keys(headers)));
    expect(model.headers.length).toBeGreaterThan(40);
    for (const name of ['traceparent', 'tracestate', 'baggage']) expect(added).not.toContain(name);
    expect(JSON.stringify(model.headers)).not.toMatch(/agent\.task|plumbline/i);
  });
});
