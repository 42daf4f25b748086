import { type Context, context } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { admitModelCall, type Meter, refusal, spend } from '../budget.ts';
import { errorType } from '../failure.ts';
import { awaitsResults, completeForeignTool } from '../foreign-tool.ts';
import { attempt, guard } from '../guard.ts';
import { hasPending, takeCall, takeNamed } from '../pending-calls.ts';
import { runtime } from '../runtime.ts';
import { activeScope, activeTask } from '../task-context.ts';
import { inferTool } from '../tool-span.ts';
import { type RequestBody, requestBody } from '../wire/body.ts';
import type { ModelRequest } from '../wire/wire.ts';
import { messageOf, observeAnswer } from './answered.ts';
import { type CallSpan, callSpan } from './call-span.ts';
import { describeRequest, type Toolset, toolsetOf } from './describe.ts';
import type { Outgoing, Target } from './outgoing.ts';

/** A model call under way. */
export interface Call {
  readonly context: Context;
  /** The answer to give instead of making the call. */
  readonly refused: Response | undefined;
  /** Watches the response of `fetch` while the application reads it. */
  readonly responded: (response: Response) => void;
  readonly failed: (error: unknown) => void;
}

/** Bodies beyond this are not parsed: the call is recorded with what the first and last bytes tell. */
const maxBodyChars = 4_194_304;

/** Opens the span of a model call; `undefined` when it is none, or nobody wants to know of it. */
export function startCall({ target, resend }: Outgoing, body: string): Call | undefined {
  const started = performance.now();
  const json = body.length > maxBodyChars ? undefined : requestBody(body);
  const { accepts, operation } = target.wire;
  if (accepts && body.length <= maxBodyChars && !(json && accepts(json))) return undefined;
  const request = json && readRequest(target, json);
  const active = context.active();
  const task = activeTask(active);
  if (request && resend === 0) readResults(request, active);
  const { provider } = target;
  const iteration = operation === 'embeddings' ? undefined : nextIteration(active, resend);
  const span = callSpan(
    request?.model ? `${operation} ${request.model}` : operation,
    known({
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': provider,
      'server.address': target.host,
      'server.port': target.port,
      'http.request.resend_count': resend || undefined,
      'agent.iteration': iteration,
    }),
  );
  if (!span.recording && !task?.meter) return undefined;
  const toolset = request && offeredBy(target, request);
  if (toolset && span.recording) describeRequest(request, toolset, body, span.set);
  const meter = task?.meter;
  const retry = resend > 0;
  const refused = enter(meter, span, { iteration: iteration ?? 0, retry, provider });
  const end = endOnce(span, refused ? undefined : meter);
  if (refused) end();
  const asked = {
    ...{ span, end, started, task, provider },
    wire: target.wire,
    request: request && { model: request.model, stream: request.stream },
    tools: toolset?.tools ?? [],
  };
  return {
    context: span.context,
    refused,
    responded: (response) => observeAnswer(asked, response),
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
  attempt('call.results', () => {
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
  });
}

/** A function of its own, as the one above: a closure of `startCall` would keep the request as long as its answer takes. */
function offeredBy({ wire }: Target, request: ModelRequest): Toolset | undefined {
  return guard('request.tools', () => toolsetOf(wire, request), undefined);
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

function readRequest({ wire, path }: Target, json: RequestBody): ModelRequest | undefined {
  return guard('call.request', () => wire.request(json, path), undefined);
}

/** Counts the agent's model calls; a retry of the SDK is the same iteration. */
function nextIteration(at: Context, resend: number): number | undefined {
  const counter = activeScope(at);
  if (!counter) return undefined;
  if (resend === 0 || counter.iteration === 0) counter.iteration += 1;
  return counter.iteration;
}
