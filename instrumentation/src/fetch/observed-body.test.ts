import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeStream } from 'node:stream/web';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isObservable, observeBody } from './observed-body.ts';

function observed(response: Response) {
  const seen: string[] = [];
  observeBody(response, {
    asked: () => undefined,
    chunk: (bytes) => seen.push(new TextDecoder().decode(bytes)),
    ended: () => seen.push('ended'),
    failed: (error) => seen.push(`failed ${(error as Error).message}`),
    abandoned: () => seen.push('abandoned'),
  });
  return { seen, result: response };
}

function source(chunks: string[], pulls: { count: number }, cancelled: unknown[] = []) {
  const queue = [...chunks];
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulls.count += 1;
        const next = queue.shift();
        if (next === undefined) controller.close();
        else controller.enqueue(Buffer.from(next));
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
}

it('reads nothing ahead of the application, and shows each chunk before it has it', async () => {
  const pulls = { count: 0 };
  const { seen, result } = observed(new Response(source(['a', 'b'], pulls)));
  await new Promise((resolve) => setImmediate(resolve));
  expect([pulls.count, seen]).toEqual([0, []]);
  const reader = result.body!.getReader();
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('a');
  expect([pulls.count, seen]).toEqual([1, ['a']]);
  await reader.read();
  expect((await reader.read()).done).toBe(true);
  expect(seen).toEqual(['a', 'b', 'ended']);
});

it('hands a cancellation on, with its reason', async () => {
  const cancelled: unknown[] = [];
  const { seen, result } = observed(new Response(source(['a'], { count: 0 }, cancelled)));
  await result.body!.cancel('enough');
  expect(cancelled).toEqual(['enough']);
  expect(seen).toEqual(['abandoned']);
});

it('hands the very error on', async () => {
  const error = new Error('reset');
  const body = new ReadableStream({ pull: (controller) => controller.error(error) });
  const { seen, result } = observed(new Response(body));
  await expect(result.text()).rejects.toBe(error);
  expect(seen).toEqual(['failed reset']);
});

it('keeps a byte stream a byte stream, and never detaches chunks of another', async () => {
  const bytes = observed(new Response('hello'));
  const reader = bytes.result.body!.getReader({ mode: 'byob' });
  expect((await reader.read(new Uint8Array(8))).value).toHaveLength(5);
  expect((await reader.read(new Uint8Array(8))).done).toBe(true);
  expect(bytes.seen).toEqual(['hello', 'ended']);

  const shared = Buffer.from('pooled');
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(shared);
      controller.close();
    },
  });
  expect(await observed(new Response(body)).result.text()).toBe('pooled');
  expect(shared.toString()).toBe('pooled');
});

const text = async (body: ReadableStream): Promise<string> => new Response(body).text();

/** Every way to read a body. The bytes must be those of the body, and the observer must see each of them once. */
const ways: Record<string, (response: Response) => Promise<unknown>> = {
  text: (response) => response.text(),
  json: (response) => response.json().catch((error: Error) => error.name),
  arrayBuffer: (response) => response.arrayBuffer(),
  blob: async (response) => (await response.blob()).text(),
  formData: (response) => response.formData().catch((error: Error) => error.name),
  clone: async (response) => {
    const copy = response.clone();
    return [await copy.text(), await response.text(), copy.status, response.bodyUsed];
  },
  'clone of a clone': async (response) => response.clone().clone().text(),
  iteration: async ({ body }) => {
    const parts: unknown[] = [];
    for await (const part of body!) parts.push(Buffer.from(part).toString());
    return [parts.join(''), body!.locked];
  },
  'iteration that keeps the stream': async ({ body }) => {
    const parts: unknown[] = [];
    for await (const part of body!.values({ preventCancel: true })) {
      parts.push(Buffer.from(part).toString());
      break;
    }
    for await (const part of body!) parts.push(Buffer.from(part).toString());
    return parts.join('');
  },
  'two readers in turn': async ({ body }) => {
    const first = body!.getReader();
    const { value } = await first.read();
    first.releaseLock();
    const second = body!.getReader();
    const parts = [Buffer.from(value!).toString()];
    for (let step = await second.read(); !step.done; step = await second.read()) {
      parts.push(Buffer.from(step.value).toString());
    }
    await second.closed;
    return parts.join('');
  },
  tee: async ({ body }) => {
    const [left, right] = body!.tee();
    return [await text(left), await text(right), body!.locked];
  },
  pipeTo: async ({ body }) => {
    const parts: string[] = [];
    const write = (part: Uint8Array) => void parts.push(Buffer.from(part).toString());
    await body!.pipeTo(new WritableStream({ write }));
    return [parts.join(''), body!.locked];
  },
  pipeThrough: ({ body }) => text(body!.pipeThrough(new TransformStream())),
  'a new Response': (response) => new Response(response.body, response).text(),
  'a Request': ({ body }) =>
    new Request('http://127.0.0.1', { method: 'POST', body, duplex: 'half' } as RequestInit).text(),
  'a stream of Node': async ({ body }) => {
    const parts: string[] = [];
    for await (const part of Readable.fromWeb(body as NodeStream)) parts.push(String(part));
    return parts.join('');
  },
  'twice, which is an error': async (response) => {
    await response.text();
    return response.text().catch((error: Error) => [error.name, error.message]);
  },
  'while locked, which is an error': async (response) => {
    const reader = response.body!.getReader();
    const said = await response.text().catch((error: Error) => error.name);
    const again = attempt(() => response.body!.getReader());
    const split = attempt(() => response.body!.tee());
    while (!(await reader.read()).done);
    return [said, again, split];
  },
};

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return [(error as Error).name, (error as Error).message];
  }
}

describe('over a real connection', () => {
  let url: string;
  const server = createServer(async (_, response) => {
    for (const part of ['hello ', 'wörld', '!']) {
      response.write(part);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    response.end();
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(Object.keys(ways))('read by %s: the same, each byte seen once', async (name) => {
    const read = ways[name]!;
    const plain = await read(await fetch(url));
    const { seen, result } = observed(await fetch(url));
    expect(await read(result)).toEqual(plain);
    expect(seen.filter((text) => text !== 'ended').join('')).toBe('hello wörld!');
    expect(seen.at(-1)).toBe('ended');
  });

  it('leaves no trace on the response, and none that shows on the body', async () => {
    const response = await fetch(url);
    const { body } = response;
    const before = [Object.keys(response), Object.keys(body!), inspect(response)];
    const { result } = observed(response);
    expect(result.body).toBe(body);
    expect([Object.keys(response), Object.keys(body!), inspect(response)]).toEqual(before);
    await response.text();
  });

  it('does not take a read that was released for a failure', async () => {
    const { seen, result } = observed(await fetch(url));
    const reader = result.body!.getReader();
    await reader.read();
    const waiting = reader.read().catch((error: Error) => error.name);
    reader.releaseLock();
    expect(await waiting).toBe('TypeError');
    expect(seen.filter((text) => text.startsWith('failed'))).toEqual([]);
    await result.body!.cancel();
    expect(seen.at(-1)).toBe('abandoned');
  });

  it('leaves a frozen body alone', async () => {
    const response = await fetch(url);
    Object.freeze(response.body);
    const { seen } = observed(response);
    expect(await response.text()).toBe('hello wörld!');
    expect(seen).toEqual([]);
  });
});

it.each([
  ['no body', new Response(null)],
  ['an error response', Response.error()],
  ['no Response', { status: 200, body: 'x' } as unknown as Response],
])('leaves %s alone', (_, response) => {
  expect(isObservable(response)).toBe(false);
});
