import { expect, it } from 'vitest';
import { readSse } from './sse.ts';

const encoder = new TextEncoder();

function read(stream: string, chunk: number): string[] {
  const events: string[] = [];
  const reader = readSse((data) => events.push(data));
  const bytes = encoder.encode(stream);
  for (let at = 0; at < bytes.length; at += chunk) reader.feed(bytes.subarray(at, at + chunk));
  reader.end();
  return events;
}

const stream = [
  ': comment\r\n\r\n',
  'event: delta\r\ndata: {"a":"é€😀"}\r\n\r\n',
  'data:no space\n\n',
  'data: two\ndata: lines\n\n',
  'data: cr\rdata: only\r\r',
  'id: 1\nretry: 10\ndatabase: no\n\n',
  'data\n\n',
  'data: unfinished',
].join('');
const expected = ['{"a":"é€😀"}', 'no space', 'two\nlines', 'cr\nonly', 'unfinished'];

it.each([1, 2, 3, 5, 7, 64, 4096])('reads the same events from chunks of %i bytes', (size) => {
  expect(read(stream, size)).toEqual(expected);
});

it('skips an event beyond its bound and goes on after it', () => {
  const events: string[] = [];
  const reader = readSse((data) => events.push(data));
  const piece = encoder.encode('x'.repeat(65_536));
  reader.feed(encoder.encode('data: '));
  for (let size = 0; size < 80; size += 1) reader.feed(piece);
  reader.feed(encoder.encode('\n\ndata: next\n\n'));
  expect(events).toEqual(['next']);
});
