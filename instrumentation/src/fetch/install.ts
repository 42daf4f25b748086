import { context } from '@opentelemetry/api';
import { attempt, failed, guard } from '../guard.ts';
import { runtime } from '../runtime.ts';
import { type Call, startCall } from './call.ts';
import { type Outgoing, outgoing } from './outgoing.ts';

type Fetch = typeof globalThis.fetch;

const original = Symbol.for('plumbline.fetch.original');

/**
 * Wraps `globalThis.fetch` once: every SDK that fetches is seen, whatever its version. Clients keep the `fetch` they found
 * when they were made, so this runs before they are.
 */
export function installFetch(): void {
  runtime().capturing = true;
  const native = globalThis.fetch;
  if (typeof native !== 'function' || original in native) return;
  attempt('fetch.install', () => {
    globalThis.fetch = wrap(native);
  });
}

/** Takes the wrapper out; clients that kept it pass through it unobserved. */
export function removeFetch(): void {
  runtime().capturing = false;
  const { fetch } = globalThis;
  attempt('fetch.remove', () => {
    if (original in fetch) globalThis.fetch = fetch[original] as Fetch;
  });
}

function wrap(native: Fetch): Fetch {
  const wrapper = function (this: unknown, ...values: Parameters<Fetch>): ReturnType<Fetch> {
    const pass = (): ReturnType<Fetch> => Reflect.apply(native, this, values);
    if (!runtime().capturing) return pass();
    const target = guard('fetch.match', () => outgoing(...values), undefined);
    if (!target) return pass();
    const { body } = target;
    return typeof body === 'string'
      ? follow(target, body, pass)
      : followRequest(target, body, pass);
  };
  Object.defineProperty(wrapper, 'name', { value: 'fetch', configurable: true });
  Object.defineProperty(wrapper, 'length', { value: native.length, configurable: true });
  Object.defineProperty(wrapper, original, { value: native });
  return wrapper;
}

function follow(target: Outgoing, body: string, pass: () => ReturnType<Fetch>): ReturnType<Fetch> {
  const call = guard('fetch.start', () => startCall(target, body), undefined);
  if (!call) return pass();
  if (call.refused) return Promise.resolve(call.refused);
  try {
    return context.with(call.context, pass).then(
      (response) => received(call, response),
      (error: unknown) => {
        call.failed(error);
        throw error;
      },
    );
  } catch (error) {
    call.failed(error);
    throw error;
  }
}

/** A `Request` is read from a copy; the application's own stays unread for `fetch`. */
async function followRequest(
  target: Outgoing,
  request: Request,
  pass: () => ReturnType<Fetch>,
): ReturnType<Fetch> {
  const text = await guard('fetch.clone', () => request.clone().text(), Promise.resolve('')).catch(
    (error: unknown) => {
      failed('fetch.clone', error);
      return '';
    },
  );
  return follow(target, text, pass);
}

function received(call: Call, response: Response): Response {
  try {
    call.responded(response);
  } catch (error) {
    failed('fetch.response', error);
    call.failed(error);
  }
  return response;
}
