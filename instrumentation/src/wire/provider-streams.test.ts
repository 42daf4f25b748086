import { describe, expect, it } from 'vitest';
import type { ProviderStream } from '../../test/provider-stream.ts';
import { providerStreams } from '../../test/provider-streams.ts';
import { readLines } from '../lines.ts';
import { readSse } from '../sse.ts';
import { wireFor } from './registry.ts';
import type { ModelResponse } from './wire.ts';

function assembled({ path }: ProviderStream, chunks: readonly Uint8Array[]): ModelResponse {
  const wire = wireFor(path);
  if (!wire) throw new Error(`no wire for ${path}`);
  const assembler = wire.stream({ maxChars: 1_000_000 });
  const reader = wire.framing === 'lines' ? readLines(assembler.push) : readSse(assembler.push);
  for (const chunk of chunks) reader.feed(chunk);
  reader.end();
  return assembler.result();
}

const spoken = ({ messages }: ModelResponse, type: string): string =>
  messages
    .flatMap(({ parts }) => parts)
    .map((part) => (part.type === type && 'content' in part ? String(part.content) : ''))
    .join('');

describe.each(providerStreams.map((stream) => [stream.provider, stream] as const))(
  'a stream of %s',
  (_, stream) => {
    const bytes = Buffer.from(stream.body);
    const whole = assembled(stream, [bytes]);

    it('gives usage, tier, reasons, texts, calls and error', () => {
      expect(whole.attributes).toEqual(stream.attributes);
      expect(whole.calls).toEqual(stream.calls);
      expect(spoken(whole, 'text')).toBe(stream.said);
      expect(spoken(whole, 'reasoning')).toBe(stream.thought);
      expect(whole.textBytes).toBe(Buffer.byteLength(stream.said));
      expect(whole.error).toEqual(stream.error);
    });

    it('gives the same wherever the network cuts it', () => {
      const expected = JSON.stringify(whole);
      for (let at = 1; at < bytes.length; at += 1) {
        const cut = assembled(stream, [bytes.subarray(0, at), bytes.subarray(at)]);
        if (JSON.stringify(cut) !== expected) expect(cut, `cut at byte ${at}`).toEqual(whole);
      }
      const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
      expect(assembled(stream, single)).toEqual(whole);
    });

    it('that breaks off anywhere gives a beginning of it', () => {
      for (let at = 0; at < bytes.length; at += 7) {
        const begun = assembled(stream, [bytes.subarray(0, at)]);
        expect(stream.said.startsWith(spoken(begun, 'text')), `broken off at ${at}`).toBe(true);
        expect(stream.thought.startsWith(spoken(begun, 'reasoning'))).toBe(true);
      }
    });
  },
);
