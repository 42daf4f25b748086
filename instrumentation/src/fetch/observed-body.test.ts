import { expect, it } from 'vitest';
import { isObservable, observeBody } from './observed-body.ts';

function observed(response: Response) {
  const seen: string[] = [];
  const result = observeBody(response, {
    chunk: (bytes) => seen.push(new TextDecoder().decode(bytes)),
    ended: () => seen.push('ended'),
    failed: (error) => seen.push(`failed ${(error as Error).message}`),
    abandoned: () => seen.push('abandoned'),
  });
  return { seen, result };
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

it('keeps status, headers and address', () => {
  const headers = new Headers({ 'x-a': '1' });
  headers.append('set-cookie', 'a=1');
  headers.append('set-cookie', 'b=2');
  const response = new Response('x', { status: 429, statusText: 'Slow down', headers });
  const { result } = observed(response);
  expect([result.status, result.statusText, result.ok, result.url, result.type]).toEqual([
    429,
    'Slow down',
    false,
    response.url,
    response.type,
  ]);
  expect([...result.headers]).toEqual([...response.headers]);
});

it.each([
  ['no body', new Response(null)],
  ['a null-body status', new Response(null, { status: 204 })],
  ['an error response', Response.error()],
  ['no Response', { status: 200, body: 'x' } as unknown as Response],
])('leaves %s alone', (_, response) => {
  expect(isObservable(response)).toBe(false);
});
