import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { countCall, countsMoney, type Meter, spend } from '../budget.ts';
import { redacted } from '../content.ts';
import { errorType } from '../failure.ts';
import { attempt } from '../guard.ts';
import { fitsSchema } from '../json-schema.ts';
import { rememberCalls } from '../pending-calls.ts';
import { canonicalJson } from '../plain.ts';
import { costOf } from '../price.ts';
import { contentLevel } from '../runtime.ts';
import type { ActiveTask } from '../task-context.ts';
import { parse } from '../wire/json.ts';
import type { ToolDefinition } from '../wire/message.ts';
import type { ModelRequest, ModelResponse, Wire } from '../wire/wire.ts';
import { type AnswerReader, answerReader } from './answer.ts';
import type { CallSpan } from './call-span.ts';
import { describeResponse } from './describe.ts';
import { type BodyObserver, isObservable, observeBody } from './observed-body.ts';
import { forgetUnread, type Unread, watchUnread } from './unread.ts';

/** A model call whose answer is awaited. */
export interface Asked {
  readonly span: CallSpan;
  readonly end: (at?: number) => void;
  /** By `performance.now()`. */
  readonly started: number;
  readonly wire: Wire;
  /** Of the request only what its answer needs: its messages may be long, and the answer long in coming. */
  readonly request: Pick<ModelRequest, 'model' | 'stream'> | undefined;
  /** Those that the request offered. */
  readonly tools: readonly ToolDefinition[];
  readonly task: ActiveTask | undefined;
  readonly provider: string;
}

/** Follows the response of a model call until its end, and ends the call's span then. */
export function observeAnswer(asked: Asked, response: Response): void {
  const { span, wire, request } = asked;
  const { status } = response;
  attempt('call.status', () => span.set({ 'http.response.status_code': status }));
  if (isObservable(response)) {
    const reader = answerReader(wire, response, request?.stream === true);
    const answer = new Answer(asked, status, reader);
    if (observeBody(response, answer)) {
      watchUnread(answer);
      return;
    }
  }
  if (status >= 400) span.fail(String(status));
  asked.end();
}

// Some SDKs try again without reading why it failed: what is not read so soon is not waited for.
const errorPatienceMs = 100;

/** One answer on its way. A class, so that a call does not pay for a closure per kind of event. */
class Answer implements BodyObserver, Unread {
  readonly #asked: Asked;
  readonly #status: number;
  readonly #reader: AnswerReader;
  #firstAt = 0;
  #lastAt = performance.now();
  #chunks = 0;
  #settled = false;
  #reading = false;

  constructor(asked: Asked, status: number, reader: AnswerReader) {
    this.#asked = asked;
    this.#status = status;
    this.#reader = reader;
    if (status >= 400) {
      setTimeout(() => this.#chunks === 0 && this.#settle(), errorPatienceMs).unref();
    }
  }

  asked(): void {
    this.#reading = true;
  }

  chunk(bytes: Uint8Array): void {
    if (this.#settled) return;
    this.#reading = false;
    this.#lastAt = performance.now();
    this.#chunks += 1;
    const { streamed } = this.#reader;
    if (this.#chunks === 1) this.#first();
    this.#reader.feed(bytes);
    // Clients stop reading at the terminal event, and what they do next must find the call ended.
    if (streamed && this.#reader.complete()) this.#settle();
  }

  ended(): void {
    attempt('call.end', this.#reader.end);
    this.#settle();
  }

  failed(error: unknown): void {
    if (this.#settled) return;
    attempt('call.broken', () => this.#asked.span.fail(errorType(error), messageOf(error)));
    this.#settle('incomplete');
  }

  abandoned(): void {
    this.#settle('cancelled');
  }

  progress(): number | undefined {
    return this.#reading ? undefined : this.#chunks;
  }

  left(): void {
    this.#settle('cancelled', this.#lastAt);
  }

  #first(): void {
    if (!this.#reader.streamed) return;
    this.#firstAt = this.#lastAt;
    const seconds = (this.#firstAt - this.#asked.started) / 1000;
    this.#asked.span.set({ 'gen_ai.response.time_to_first_chunk': seconds });
  }

  #settle(responseStatus?: string, at?: number): void {
    if (this.#settled) return;
    this.#settled = true;
    forgetUnread(this);
    attempt('call.response', () => {
      const ok = this.#status >= 200 && this.#status <= 299;
      const result = this.#reader.result();
      // What an SDK does with the body of an error is no end of the call.
      finish(this.#asked, this.#status, result, ok ? responseStatus : undefined);
      if (this.#reader.streamed) this.#asked.span.set(this.#pace(result));
    });
    this.#asked.end(at);
  }

  /** Seconds per token after the first chunk, when the provider counted them. */
  #pace(response: ModelResponse | undefined): Attributes {
    const tokens = Number(response?.attributes['gen_ai.usage.output_tokens'] ?? 0);
    if (this.#chunks < 2 || tokens < 2) return {};
    const seconds = (this.#lastAt - this.#firstAt) / 1000;
    return { 'gen_ai.client.operation.time_per_output_chunk': seconds / (tokens - 1) };
  }
}

function finish(
  { span, task, provider, request, tools }: Asked,
  status: number,
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
  askFor(response.calls, tools, span, task);
  if (task?.meter) {
    const requested = known({ 'gen_ai.request.model': request?.model });
    charge(task.meter, { 'gen_ai.provider.name': provider, ...requested, ...response.attributes });
  }
  span.set(describeResponse(response));
}

/** Keeps the calls of an answer until tools run them, and counts them. */
function askFor(
  calls: ModelResponse['calls'],
  offered: Asked['tools'],
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

export function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? shown(error.message) : undefined;
}

function shown(message: string | undefined): string | undefined {
  return contentLevel() === 'full' ? redacted(message, 'error.message') : undefined;
}
