import { type Attributes, type Context, context } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { admitModelCall, countCall, countsMoney, type Meter, refusal, spend } from '../budget.ts';
import { redacted } from '../content.ts';
import { errorType } from '../failure.ts';
import { awaitsResults, completeForeignTool } from '../foreign-tool.ts';
import { attempt, guard } from '../guard.ts';
import { fitsSchema } from '../json-schema.ts';
import { hasPending, rememberCalls, takeCall, takeNamed } from '../pending-calls.ts';
import { canonicalJson } from '../plain.ts';
import { costOf } from '../price.ts';
import { contentLevel, runtime } from '../runtime.ts';
import { type ActiveTask, activeScope, activeTask } from '../task-context.ts';
import { inferTool } from '../tool-span.ts';
import { type Json, parse, record } from '../wire/json.ts';
import { providerOf } from '../wire/registry.ts';
import type { ModelRequest, ModelResponse } from '../wire/wire.ts';
import { answerReader } from './answer.ts';
import { type CallSpan, callSpan } from './call-span.ts';
import { describeRequest, describeResponse } from './describe.ts';
import { isObservable, observeBody } from './observed-body.ts';
import type { Outgoing } from './outgoing.ts';
import { watchUnread } from './unread.ts';

/** A model call under way. */
export interface Call {
  readonly context: Context;
  /** The answer to give instead of making the call. */
  readonly refused: Response | undefined;
  /** Takes the response of `fetch` and gives the one for the application. */
  readonly responded: (response: Response) => Response;
  readonly failed: (error: unknown) => void;
}

/** Bodies beyond this are not parsed: the call is recorded with what the first and last bytes tell. */
const maxBodyChars = 4_194_304;

/** Opens the span of a model call; `undefined` when it is none, or nobody wants to know of it. */
export function startCall(target: Outgoing, body: string): Call | undefined {
  const started = performance.now();
  const json = body.length > maxBodyChars ? undefined : record(parse(body));
  const { accepts, operation } = target.wire;
  if (accepts && body.length <= maxBodyChars && !(json && accepts(json))) return undefined;
  const request = json && readRequest(target, json);
  const active = context.active();
  const task = activeTask(active);
  if (request && target.resend === 0) attempt('call.results', () => readResults(request, active));
  const provider = providerOf(target.url.hostname, target.wire);
  const span = callSpan(operation, {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': provider,
    'server.address': target.url.hostname,
    'server.port': portOf(target.url),
    ...(target.resend > 0 && { 'http.request.resend_count': target.resend }),
  });
  if (!span.recording && !task?.meter) return undefined;
  const iteration = operation === 'embeddings' ? undefined : nextIteration(active, target.resend);
  attempt('call.describe', () => {
    if (!span.recording) return;
    span.name(`${operation} ${request?.model ?? ''}`.trim());
    span.set(known({ 'agent.iteration': iteration }));
    if (request) span.set(describeRequest(request, body));
  });
  const meter = task?.meter;
  const retry = target.resend > 0;
  const refused = enter(meter, span, { iteration: iteration ?? 0, retry, provider });
  const end = endOnce(span, refused ? undefined : meter);
  if (refused) end();
  const settle = { span, end, started, target, request, task, provider };
  return {
    context: span.context,
    refused,
    responded: (response) => observe({ ...settle, response }),
    failed: (error) => {
      attempt('call.failed', () => span.fail(errorType(error), messageOf(error)));
      end();
    },
  };
}

/** Whose SDKs read errors of another shape than the others'. */
const apis = ['ollama', 'openrouter'] as const;

/** Counts the call against the budgets of its task; the answer in its place when one of them stops it. */
function enter(
  meter: Meter | undefined,
  span: CallSpan,
  { provider, ...call }: { iteration: number; retry: boolean; provider: string },
): Response | undefined {
  const exceeded = meter && admitModelCall(meter, call, span.span);
  if (exceeded) {
    attempt('call.refused', () => span.fail('budget_exceeded'));
    return refusal(
      exceeded,
      apis.find((api) => api === provider),
    );
  }
  spend(meter, (at) => {
    at.inFlight += 1;
    if (!call.retry) at.llmCalls += 1;
  });
  return undefined;
}

/**
 * Results in the request: of tools whose span somebody else opened, it is completed; of calls that no span has taken, the
 * tool ran where nobody told of it, and its span is made from what is known.
 */
function readResults(request: ModelRequest, at: Context): void {
  const task = activeTask(at);
  if (!hasPending(task) && !awaitsResults()) return;
  for (const { parts } of request.messages()) {
    for (const part of parts) {
      if (part.type !== 'tool_call_response') continue;
      completeForeignTool(part);
      const call = takeCall(task, part.id ?? '') ?? takeNamed(task, part.id ?? '');
      if (call) inferTool(call, part, at);
    }
  }
}

interface Observed {
  readonly response: Response;
  readonly span: CallSpan;
  readonly end: (at?: number) => void;
  readonly started: number;
  readonly target: Outgoing;
  readonly request: ModelRequest | undefined;
  readonly task: ActiveTask | undefined;
  readonly provider: string;
}

function observe(observed: Observed): Response {
  const { response, span, end, started, target, request } = observed;
  attempt('call.status', () => span.set({ 'http.response.status_code': response.status }));
  if (!isObservable(response)) {
    if (response.status >= 400) span.fail(String(response.status));
    end();
    return response;
  }
  const answer = answerReader(target.wire, response, request?.stream === true);
  let firstAt = 0;
  let lastAt = 0;
  let chunks = 0;
  let settled = false;
  let reading = true;
  let unread: NodeJS.Timeout | undefined;
  const settle = (status?: string, at?: number): void => {
    if (settled) return;
    settled = true;
    clearInterval(unread);
    attempt('call.response', () => {
      const result = answer.result();
      // What an SDK does with the body of an error is no end of the call.
      finish(observed, result, response.ok ? status : undefined);
      if (answer.streamed && chunks > 1) span.set(pace(lastAt - firstAt, result));
    });
    end(at);
  };
  // Some SDKs try again without reading why it failed: what is not read soon is not waited for.
  if (response.status >= 400) setTimeout(() => chunks === 0 && settle(), 100).unref();
  return observeBody(response, {
    asked: () => {
      reading = true;
    },
    chunk: (bytes) => {
      reading = false;
      lastAt = performance.now();
      chunks += 1;
      if (chunks === 1) {
        firstAt = lastAt;
        const seconds = (firstAt - started) / 1000;
        if (answer.streamed) {
          attempt('call.first', () => span.set({ 'gen_ai.response.time_to_first_chunk': seconds }));
        }
      }
      attempt('call.chunk', () => answer.feed(bytes));
      // Clients stop reading at the terminal event, and what they do next must find the call ended.
      if (answer.complete()) settle();
      else if (answer.streamed) {
        unread ??= watchUnread(
          () => (reading ? undefined : chunks),
          () => settle('cancelled', lastAt),
        );
      }
    },
    ended: () => {
      attempt('call.end', answer.end);
      settle();
    },
    failed: (error) => {
      attempt('call.broken', () => span.fail(errorType(error), messageOf(error)));
      settle('incomplete');
    },
    abandoned: () => settle('cancelled'),
  });
}

/** Seconds per token after the first chunk, when the provider counted them. */
function pace(ms: number, response: ModelResponse | undefined): Attributes {
  const tokens = Number(response?.attributes['gen_ai.usage.output_tokens'] ?? 0);
  if (tokens < 2) return {};
  return { 'gen_ai.client.operation.time_per_output_chunk': ms / 1000 / (tokens - 1) };
}

function finish(
  { span, response: { status }, task, provider, request }: Observed,
  response: ModelResponse | undefined,
  responseStatus: string | undefined,
): void {
  const error = response?.error;
  if (status >= 400 || error) {
    const type = error?.type && /^[\w.-]{1,64}$/.test(error.type) ? error.type : String(status);
    span.fail(type, shown(error?.message));
  }
  if (responseStatus) span.set({ 'gen_ai.response.status': responseStatus });
  if (!response) return;
  askFor(response.calls, request?.tools ?? [], span, task);
  if (task?.meter) {
    const requested = known({ 'gen_ai.request.model': request?.model });
    charge(task.meter, { 'gen_ai.provider.name': provider, ...requested, ...response.attributes });
  }
  span.set(describeResponse(response));
}

/** Keeps the calls of an answer until tools run them, and counts them. */
function askFor(
  calls: ModelResponse['calls'],
  offered: ModelRequest['tools'],
  span: CallSpan,
  task: ActiveTask | undefined,
): void {
  if (calls.length === 0) return;
  const askedAt = Date.now();
  const pending = calls.map(({ id, name, arguments: written }) => {
    const value = written.trim() === '' ? {} : parse(written);
    const schema = offered.find((tool) => tool.name === name)?.parameters;
    return {
      id,
      name,
      arguments: canonicalJson(value ?? written),
      valid:
        value === undefined ? false : schema === undefined ? undefined : fitsSchema(schema, value),
      written,
      askedAt,
      context: span.context,
    };
  });
  rememberCalls(task, pending);
  spend(task?.meter, (at) => {
    at.asked += pending.length;
    for (const call of pending) countCall(at, 'asked', `${call.name} ${call.arguments}`);
  });
}

function charge(meter: Meter, attributes: Attributes): void {
  const input = Number(attributes['gen_ai.usage.input_tokens'] ?? 0);
  const output = Number(attributes['gen_ai.usage.output_tokens'] ?? 0);
  const usd = input + output > 0 && countsMoney(meter) ? (costOf(attributes) ?? 0) : 0;
  spend(meter, (at) => {
    at.tokens += input + output;
    at.usd += usd;
  });
}

function endOnce(span: CallSpan, meter: Meter | undefined): (at?: number) => void {
  const { openCalls } = runtime();
  const end = (at?: number): void => {
    if (!openCalls.delete(end)) return;
    spend(meter, (spent) => {
      spent.inFlight -= 1;
    });
    attempt('call.span', () => span.end(at));
  };
  openCalls.add(end);
  return end;
}

function readRequest({ wire, url }: Outgoing, json: Json): ModelRequest | undefined {
  return guard('call.request', () => wire.request(json, url.pathname), undefined);
}

/** Counts the agent's model calls; a retry of the SDK is the same iteration. */
function nextIteration(at: Context, resend: number): number | undefined {
  const counter = activeScope(at);
  if (!counter) return undefined;
  if (resend === 0 || counter.iteration === 0) counter.iteration += 1;
  return counter.iteration;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'http:' ? 80 : 443;
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? shown(error.message) : undefined;
}

function shown(message: string | undefined): string | undefined {
  return contentLevel() === 'full' ? redacted(message, 'error.message') : undefined;
}
