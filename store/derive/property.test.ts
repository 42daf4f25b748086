import { describe, expect, it } from 'vitest';
import { taskLog, taskSpan } from './fixtures.ts';
import { randomFrom, randomTelemetry, shuffled } from './fixtures-random.ts';
import { deriveTasks } from './task.ts';
import type { TaskSpan } from './telemetry.ts';

const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1);

function telemetry(seed: number) {
  const { spans, logs } = randomTelemetry(seed);
  return { spans: spans.map(taskSpan), logs: logs.map(taskLog) };
}

function tokensOf(tasks: ReturnType<typeof deriveTasks>): bigint {
  return tasks.reduce((sum, task) => sum + (task.input_tokens ?? 0n), 0n);
}

describe('derivation of random telemetry', () => {
  it('does not depend on the order of what arrives', () => {
    for (const seed of SEEDS) {
      const { spans, logs } = telemetry(seed);
      const random = randomFrom(seed);
      const expected = deriveTasks(spans, logs);
      for (let round = 0; round < 3; round++) {
        expect(deriveTasks(shuffled(spans, random), shuffled(logs, random))).toEqual(expected);
      }
    }
  });

  it('puts every span into exactly one task', () => {
    for (const seed of SEEDS) {
      const { spans, logs } = telemetry(seed);
      const tasks = deriveTasks(spans, logs);
      expect(tasks.reduce((sum, task) => sum + task.spans, 0)).toBe(spans.length);
      expect(new Set(tasks.map(({ task_id }) => task_id)).size).toBe(tasks.length);
    }
  });

  it('sums over tasks to what it sums to when nothing names a task', () => {
    for (const seed of SEEDS) {
      const { spans, logs } = telemetry(seed);
      const anonymous = spans.map((span) => ({ ...span, task_id: '', task_id_kind: '' }));
      const byTrace = deriveTasks(anonymous, []);
      expect(byTrace.every(({ attribution }) => attribution === 'trace')).toBe(true);
      expect(tokensOf(deriveTasks(spans, logs))).toBe(tokensOf(byTrace));
    }
  });

  it('gives the same tokens when every model call is wrapped by spans that repeat its usage', () => {
    for (const seed of SEEDS) {
      const { spans } = telemetry(seed);
      const plain = spans.filter(isCallOrStructure);
      const wrapped = plain.flatMap((span) => (span.kind === 'llm' ? wrap(span) : [span]));
      expect(wrapped.length).toBeGreaterThan(plain.length);
      expect(tokensOf(deriveTasks(wrapped, []))).toBe(tokensOf(deriveTasks(plain, [])));
    }
  });
});

/** Without sums of agents, which rightly count where nothing below them has usage, and without cycles and twins. */
function isCallOrStructure(span: TaskSpan): boolean {
  const { kind, input_tokens, output_tokens } = span;
  const model = kind === 'llm' || kind === 'embedding';
  const plain = span.response_id === '' && span.parent_id !== span.span_id;
  return plain && (model ? hasTokens(input_tokens) : !hasTokens(output_tokens));
}

function hasTokens(tokens: bigint | null): boolean {
  return tokens !== null && tokens > 0n;
}

function wrap(call: TaskSpan): TaskSpan[] {
  const outer = { ...call, span_id: `${call.span_id}-outer`, kind: 'agent' };
  const middle = { ...call, span_id: `${call.span_id}-middle`, parent_id: outer.span_id };
  return [outer, middle, { ...call, parent_id: middle.span_id }];
}
