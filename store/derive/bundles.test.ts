import { describe, expect, it } from 'vitest';
import { boundariesOf, traceBoundaries } from './boundaries.ts';
import { bundles } from './bundles.ts';
import { ms, taskLog, taskSpan } from './fixtures.ts';
import { randomTelemetry } from './fixtures-random.ts';
import { splitTasks } from './parts.ts';
import { compareText } from './trace.ts';

const seeds = Array.from({ length: 80 }, (_, i) => i + 1);
const byConversation = boundariesOf(
  new Map([['*', { by: 'conversation' as const, idle: 86_400_000_000_000n }]]),
);
const bySpan = boundariesOf(new Map([['*', { by: 'span' as const, match: 's1' }]]));

const links = ['response', 'conversation', 'task', 'made id', 'log'] as const;

/** Traces of which a few are linked, all in one way. */
function telemetry(seed: number) {
  const { spans, logs } = randomTelemetry(seed, 30);
  const link = links[seed % links.length];
  const isLinked = (trace: string) => Number(trace.slice(1)) % 5 === seed % 5;
  const linked = (trace: string) => ({
    response_id: link === 'response' ? 'r' : '',
    conversation_id: link === 'conversation' ? 'c' : `of ${trace}`,
    task_id: link === 'task' ? 'A' : link === 'made id' ? 't0:s1' : '',
  });
  return {
    spans: spans.map((span, i) => {
      const plain = { response_id: '', conversation_id: `of ${span.trace_id}`, task_id: '' };
      const own = isLinked(span.trace_id) && i % 2 === 0 ? linked(span.trace_id) : plain;
      // Caller and gateway tell of a call at one time, in scopes of their own.
      const time = own.response_id === '' ? {} : { start: ms(1000), end: ms(2000 + i) };
      const scope_name = `scope of ${span.trace_id}`;
      const { span_id: name } = span;
      return taskSpan({ ...span, ...own, ...time, name, scope_name, task_id_kind: 'declared' });
    }),
    logs: logs.map((log) => {
      const task_id = link === 'log' && isLinked(log.trace_id) ? 't0' : '';
      const conversation_id = `of ${log.trace_id}`;
      return taskLog({ ...log, task_id, conversation_id, task_id_kind: 'declared' });
    }),
  };
}

describe('bundles', () => {
  it('hold together what must be derived together', () => {
    let cut = 0;
    for (const seed of seeds) {
      const { spans, logs } = telemetry(seed);
      for (const boundaries of [traceBoundaries, byConversation, bySpan]) {
        const all = [...bundles(spans, logs, boundaries.conversations, 1)];
        cut += all.length;
        const parts = all.flatMap((bundle) => splitTasks(bundle.spans, bundle.logs, boundaries));
        parts.sort((a, b) => compareText(a.task, b.task));
        expect(parts).toEqual(splitTasks(spans, logs, boundaries));
      }
    }
    // Of 30 traces 24 stand alone.
    expect(cut).toBeGreaterThan(3 * seeds.length * 24);
  });

  it('have each item once, and hardly more than enough of them', () => {
    const { spans, logs } = telemetry(3);
    const all = [...bundles(spans, logs, false, 20)];
    expect(all.flatMap((bundle) => bundle.spans)).toHaveLength(spans.length);
    expect(new Set(all.flatMap((bundle) => bundle.spans))).toEqual(new Set(spans));
    expect(new Set(all.flatMap((bundle) => bundle.logs))).toEqual(new Set(logs));
    expect(all.length).toBeGreaterThan(3);
  });
});
