import { geminiResponse } from './gemini-response.ts';
import { type Json, number, parse, record, records, text } from './json.ts';
import { keptText } from './kept-text.ts';
import type { StreamAssembler, StreamLimits } from './wire.ts';

const maxCandidates = 32;
const maxParts = 512;

interface Candidate {
  finishReason: string | undefined;
  readonly parts: Record<string, unknown>[];
}

/** Collects the chunks of `streamGenerateContent`: each is an answer of its own, the last one holds the usage. */
export function assembleGeminiStream({ maxChars }: StreamLimits): StreamAssembler {
  const candidates = new Map<number, Candidate>();
  const keep = keptText(maxChars);
  let head: Json = {};
  let textBytes = 0;

  const addPart = ({ parts }: Candidate, part: Json): void => {
    const said = text(part['text']);
    if (said === undefined) {
      if (parts.length < maxParts) parts.push({ ...part });
      return;
    }
    const thought = part['thought'] === true;
    if (!thought) textBytes += Buffer.byteLength(said);
    const last = parts.at(-1);
    const sofar = text(last?.['text']);
    if (last && sofar !== undefined && (last['thought'] === true) === thought) {
      last['text'] = keep(sofar, said);
    } else if (parts.length < maxParts) {
      parts.push({ text: keep('', said), ...(thought && { thought }) });
    }
  };
  const add = (chunk: Json): void => {
    const index = number(chunk['index']) ?? 0;
    const candidate = candidates.get(index) ?? { finishReason: undefined, parts: [] };
    if (candidates.size >= maxCandidates && !candidates.has(index)) return;
    candidates.set(index, candidate);
    candidate.finishReason = text(chunk['finishReason']) ?? candidate.finishReason;
    const content = record(chunk['content']);
    for (const part of records(content?.['parts'])) addPart(candidate, part);
  };

  return {
    push: (data) => {
      const chunk = record(parse(data));
      if (!chunk) return;
      const { candidates: more, ...rest } = chunk;
      head = { ...head, ...rest };
      for (const candidate of records(more)) add(candidate);
    },
    // No event says that it is over: the body's end does.
    complete: () => false,
    result: () =>
      geminiResponse(
        {
          ...head,
          candidates: [...candidates]
            .sort(([a], [b]) => a - b)
            .map(([, { finishReason, parts }]) => ({ finishReason, content: { parts } })),
        },
        textBytes,
      ),
  };
}
