import { type Context, context } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { redacted } from '../content.ts';
import { errorType } from '../failure.ts';
import { attempt, guard } from '../guard.ts';
import { rememberCalls } from '../pending-calls.ts';
import { canonicalJson } from '../plain.ts';
import { contentLevel, runtime } from '../runtime.ts';
import { type ActiveTask, activeScope, activeTask } from '../task-context.ts';
import { parse, record } from '../wire/json.ts';
import { providerOf } from '../wire/registry.ts';
import type { ModelRequest, ModelResponse } from '../wire/wire.ts';
import { answerReader } from './answer.ts';
import { type CallSpan, callSpan } from './call-span.ts';
import { describeRequest, describeResponse } from './describe.ts';
import { isObservable, observeBody } from './observed-body.ts';
import type { Outgoing } from './outgoing.ts';

/** A model call under way. */
export interface Call {
  readonly context: Context;
  /** Takes the response of `fetch` and gives the one for the application. */
  readonly responded: (response: Response) => Response;
  readonly failed: (error: unknown) => void;
}

/** Bodies beyond this are not parsed: the call is recorded with what the first and last bytes tell. */
const maxBodyChars = 4_194_304;

/** Opens the span of a model call; `undefined` when nothing records. */
export function startCall(target: Outgoing, body: string): Call | undefined {
  const started = performance.now();
  const active = context.active();
  const span = callSpan(target.wire.operation, {
    'gen_ai.operation.name': target.wire.operation,
    'gen_ai.provider.name': providerOf(target.url.hostname, target.wire),
    'server.address': target.url.hostname,
    'server.port': portOf(target.url),
    ...(target.resend > 0 && { 'http.request.resend_count': target.resend }),
  });
  if (!span) return undefined;
  const request = readRequest(target, body);
  attempt('call.describe', () => {
    span.name(`${target.wire.operation} ${request?.model ?? ''}`.trim());
    span.set(known({ 'agent.iteration': iteration(active, target.resend) }));
    if (request) span.set(describeRequest(request, body));
  });
  const end = endOnce(span);
  return {
    context: span.context,
    responded: (response) =>
      observe({ response, span, end, started, target, request, task: activeTask(active) }),
    failed: (error) => {
      attempt('call.failed', () => span.fail(errorType(error), messageOf(error)));
      end();
    },
  };
}

interface Observed {
  readonly response: Response;
  readonly span: CallSpan;
  readonly end: () => void;
  readonly started: number;
  readonly target: Outgoing;
  readonly request: ModelRequest | undefined;
  readonly task: ActiveTask | undefined;
}

function observe({ response, span, end, started, target, request, task }: Observed): Response {
  attempt('call.status', () => span.set({ 'http.response.status_code': response.status }));
  if (!isObservable(response)) {
    if (response.status >= 400) span.fail(String(response.status));
    end();
    return response;
  }
  const answer = answerReader(target.wire, response, request?.stream === true);
  let first = true;
  let settled = false;
  const settle = (status?: string): void => {
    if (settled) return;
    settled = true;
    attempt('call.response', () => finish(span, answer.result(), response.status, task, status));
    end();
  };
  return observeBody(response, {
    chunk: (bytes) => {
      if (first && answer.streamed) {
        const seconds = (performance.now() - started) / 1000;
        attempt('call.first', () => span.set({ 'gen_ai.response.time_to_first_chunk': seconds }));
      }
      first = false;
      attempt('call.chunk', () => answer.feed(bytes));
      // Clients stop reading at the terminal event, and what they do next must find the call ended.
      if (answer.complete()) settle();
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

function finish(
  span: CallSpan,
  response: ModelResponse | undefined,
  status: number,
  task: ActiveTask | undefined,
  responseStatus: string | undefined,
): void {
  const error = response?.error;
  if (status >= 400 || error) {
    const type = error?.type && /^[\w.-]{1,64}$/.test(error.type) ? error.type : String(status);
    span.fail(type, shown(error?.message));
  }
  if (responseStatus) span.set({ 'gen_ai.response.status': responseStatus });
  if (!response) return;
  if (task) {
    rememberCalls(
      task,
      response.calls.map(({ id, name, arguments: written }) => ({
        id,
        name,
        arguments: canonicalJson(parse(written) ?? written),
      })),
    );
  }
  span.set(describeResponse(response));
}

function endOnce(span: CallSpan): () => void {
  const { openCalls } = runtime();
  const end = (): void => {
    if (openCalls.delete(end)) attempt('call.span', span.end);
  };
  openCalls.add(end);
  return end;
}

function readRequest({ wire }: Outgoing, body: string): ModelRequest | undefined {
  return guard(
    'call.request',
    () => {
      if (body.length > maxBodyChars) return undefined;
      const json = record(parse(body));
      return json && wire.request(json);
    },
    undefined,
  );
}

/** Counts the agent's model calls; a retry of the SDK is the same iteration. */
function iteration(at: Context, resend: number): number | undefined {
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
