import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type FakeLlm, startFakeLlm } from '../test/fake-llm.ts';
import { type Recorder, record } from '../test/recorder.ts';

// Servers and mocks put classes of their own into the globals, under clients that were made before or after.

let llm: FakeLlm;
let recorder: Recorder | undefined;
beforeAll(async () => {
  llm = await startFakeLlm();
});
afterAll(() => llm.close());

const native = { fetch: globalThis.fetch, Request, Response };
beforeEach(() => {
  Object.assign(globalThis, native);
});
afterEach(async () => {
  await recorder?.handle.shutdown();
  Object.assign(globalThis, native);
});

const body = JSON.stringify({ model: 'm', messages: [] });
const url = (): string => `${llm.url}/v1/chat/completions`;
const answered = { id: 'chatcmpl-1' };

function expectRecorded(): void {
  expect(recorder?.span('chat m').attributes['gen_ai.response.id']).toBe('chatcmpl-1');
  expect(recorder?.handle.stats().failures).toEqual({});
}

/** What @hono/node-server puts into the globals: subclasses that answer for the ones they hide. */
function hideGlobals(): void {
  class OtherRequest extends native.Request {}
  class OtherResponse extends native.Response {
    constructor() {
      super();
      throw new Error('made by the application only');
    }
  }
  Object.assign(globalThis, { Request: OtherRequest, Response: OtherResponse });
}

it('a global Response that fetch does not use is not used here either', async () => {
  const plain = await fetch(url(), { method: 'POST', body });
  recorder = record();
  hideGlobals();
  const response = await fetch(url(), { method: 'POST', body });
  expect(response.constructor).toBe(plain.constructor);
  expect(await response.json()).toMatchObject(answered);
  expectRecorded();
});

it('a Request of the class that the global hides is read as one', async () => {
  recorder = record();
  const request = new Request(url(), { method: 'POST', body });
  hideGlobals();
  expect(await (await fetch(request)).json()).toMatchObject(answered);
  expectRecorded();
});

/** Registers over a `fetch` whose answer is changed on its way. */
function answering(change: (response: Response) => unknown): void {
  globalThis.fetch = async (...values) => change(await native.fetch(...values)) as Response;
  recorder = record();
}

it.each([
  ['frozen', (response: Response) => Object.freeze(response)],
  [
    'with properties that cannot be set',
    (response: Response) => Object.defineProperty(response, 'url', { value: 'x', writable: false }),
  ],
  [
    'of a subclass',
    (response: Response) => new (class extends Response {})(response.body, response),
  ],
])('a response that is %s reaches the application, and is recorded', async (_, change) => {
  answering(change);
  const response = await fetch(url(), { method: 'POST', body });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject(answered);
  expectRecorded();
});

it.each([
  ['a plain object', async (response: Response) => ({ ok: true, json: () => response.json() })],
  [
    'a proxy',
    async (response: Response) =>
      new Proxy(response, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
  ],
  [
    'one whose body cannot be read',
    async (response: Response) =>
      Object.defineProperty(response, 'body', {
        get: () => {
          throw new Error('no');
        },
      }),
  ],
])('%s in place of a response is handed on as it is', async (_, change) => {
  let given: unknown;
  answering(async (response) => {
    given = await change(response);
    return given;
  });
  const response = await fetch(url(), { method: 'POST', body });
  expect(await response.json()).toMatchObject(answered);
  expect(recorder?.span('chat m')).toBeDefined();
});

it('options that cannot be read are left to fetch', async () => {
  answering((response) => response);
  const trap = {
    method: 'POST',
    get body(): never {
      throw new Error('never read twice');
    },
  };
  await expect(fetch(url(), trap)).rejects.toThrow('never read twice');
  expect(recorder?.handle.stats().failures).toEqual({ 'fetch.match': 1 });
});
