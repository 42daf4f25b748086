import type { PastModelCall, PastStep, PastTask, PastToolCall } from './history.ts';
import { MODEL } from './model.ts';

/** Where generated telemetry goes and as whom: the resource every span of it carries. */
export interface Backfill {
  /** Base URL of an OTLP/HTTP receiver. */
  readonly otlp: string;
  readonly service: string;
  readonly onProgress?: (sent: number, total: number) => void;
}

/** OTLP/JSON of some tasks: the bodies of `/v1/traces` and `/v1/logs`. */
export interface OtlpBodies {
  readonly traces: object;
  readonly logs: object;
}

const TASKS_PER_REQUEST = 100;
/** Requests under way at once: enough to keep the receiver busy, few enough to be no burst. */
const CONCURRENCY = 4;

/** Sends tasks as OTLP/JSON, oldest first, one resource per request; throws on the first refusal. */
export async function backfill(tasks: readonly PastTask[], target: Backfill): Promise<void> {
  const batches: (readonly PastTask[])[] = [];
  for (let at = 0; at < tasks.length; at += TASKS_PER_REQUEST) {
    batches.push(tasks.slice(at, at + TASKS_PER_REQUEST));
  }
  let sent = 0;
  const queue = batches.values();
  const worker = async () => {
    for (const batch of queue) {
      const bodies = otlpOf(batch, target.service);
      await post(`${target.otlp}/v1/logs`, bodies.logs);
      await post(`${target.otlp}/v1/traces`, bodies.traces);
      sent += batch.length;
      target.onProgress?.(sent, tasks.length);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function post(url: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok || text.includes('rejected')) {
    throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  }
}

/** The OTLP/JSON of some tasks in the names that `@plumbline/instrumentation` emits, without content. */
export function otlpOf(tasks: readonly PastTask[], service: string): OtlpBodies {
  const resource = {
    attributes: attributesOf({
      'service.name': service,
      'service.version': '2.3.0',
      'deployment.environment.name': 'demo',
    }),
  };
  const scope = { name: 'plumbline-demo-history', version: '1' };
  return {
    traces: {
      resourceSpans: [{ resource, scopeSpans: [{ scope, spans: tasks.flatMap(spansOf) }] }],
    },
    logs: {
      resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: tasks.flatMap(logsOf) }] }],
    },
  };
}

function spansOf(task: PastTask): object[] {
  const root = spanId(task, 0);
  const span = (index: number, name: string, step: Timed, attributes: Values, failed = false) => ({
    traceId: task.traceId,
    spanId: spanId(task, index),
    ...(index > 0 && { parentSpanId: root }),
    name,
    kind: attributes['gen_ai.operation.name'] === 'chat' ? 3 : 1,
    startTimeUnixNano: nanos(step.startedAt),
    endTimeUnixNano: nanos(step.endedAt),
    attributes: attributesOf({ ...identityOf(task), ...attributes }),
    status: failed ? { code: 2, message: 'upstream timed out' } : {},
  });
  let iteration = 0;
  return [
    span(0, `invoke_workflow ${task.workflow}`, task, {
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': task.workflow,
    }),
    ...task.steps.map((step, index) => {
      if (step.kind === 'model') iteration += 1;
      const attributes =
        step.kind === 'model'
          ? modelAttributes(task, step, iteration)
          : toolAttributes(task, step, index);
      return span(index + 1, nameOf(step), step, attributes, step.kind === 'tool' && step.failed);
    }),
  ];
}

interface Timed {
  readonly startedAt: number;
  readonly endedAt: number;
}
type Values = Readonly<Record<string, string | number | readonly string[]>>;

function nameOf(step: PastStep): string {
  return step.kind === 'model' ? `chat ${MODEL}` : `execute_tool ${step.tool}`;
}

function identityOf(task: PastTask): Values {
  return {
    'agent.task.id': task.id,
    'agent.task.workflow': task.workflow,
    'agent.task.attempt': 1,
    'gen_ai.agent.name': task.workflow,
    'gen_ai.conversation.id': task.session,
    'user.id': task.user,
  };
}

function modelAttributes(task: PastTask, call: PastModelCall, iteration: number): Values {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': MODEL,
    'gen_ai.response.model': MODEL,
    'gen_ai.response.id': `chatcmpl-${task.traceId.slice(0, 12)}${iteration}`,
    'gen_ai.response.finish_reasons': [call.finish],
    'gen_ai.response.time_to_first_chunk': call.ttftMs / 1000,
    'gen_ai.usage.input_tokens': call.input,
    'gen_ai.usage.output_tokens': call.output,
    'gen_ai.usage.cache_read.input_tokens': call.cached,
    'gen_ai.prompt.name': task.prompt,
    'gen_ai.prompt.version': task.version,
    'agent.prompt.fingerprint': `${task.prompt}-${task.version}`,
    'agent.iteration': iteration,
  };
}

const writes = new Set(['issue_credit', 'send_email', 'escalate_to_human']);

function toolAttributes(task: PastTask, call: PastToolCall, index: number): Values {
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': call.tool,
    'gen_ai.tool.type': 'function',
    'gen_ai.tool.call.id': `call_${task.traceId.slice(0, 12)}${index}`,
    'agent.tool.effect': writes.has(call.tool) ? 'write' : 'read',
    'agent.tool.arguments.hash': `${task.traceId.slice(0, 14)}${index}`,
    'agent.tool.result.hash': `${task.traceId.slice(14, 28)}${index}`,
    ...(call.failed && { 'error.type': 'timeout' }),
  };
}

function logsOf(task: PastTask): object[] {
  const record = (event: string, at: number, attributes: Values) => ({
    timeUnixNano: nanos(at),
    eventName: event,
    traceId: task.traceId,
    spanId: spanId(task, 0),
    attributes: attributesOf({ ...identityOf(task), ...attributes }),
  });
  const state = (value: string, at: number) =>
    record('agent.task.state', at, { 'agent.task.state': value });
  return [
    state('running', task.startedAt),
    state('done', task.endedAt),
    ...(task.outcome === null
      ? []
      : [
          record('agent.outcome', task.endedAt, {
            'agent.outcome': task.outcome,
            'agent.outcome.source': 'evaluation',
            'agent.outcome.by': 'demo-grader',
          }),
        ]),
  ];
}

/** Unique inside the trace: 12 digits of the trace, 4 of the place. */
function spanId(task: PastTask, index: number): string {
  return task.traceId.slice(0, 12) + index.toString(16).padStart(4, '0');
}

function nanos(ms: number): string {
  return `${Math.round(ms)}000000`;
}

function attributesOf(values: Values): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | readonly string[]): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value !== 'number') {
    return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
  }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
