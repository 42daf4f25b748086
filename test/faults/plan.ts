import { randomFrom } from '../../store/derive/fixtures-random.ts';

/** A span as it was planned; times in nanoseconds since 1970. */
export interface PlannedSpan {
  readonly trace: string;
  readonly span: string;
  readonly parent: string;
  readonly kind: 'agent' | 'chat' | 'tool';
  readonly start: bigint;
  readonly end: bigint;
  /** Task id on the span itself. */
  readonly carries: string;
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  /** Sent once before it ended too, without usage, under this task id. */
  readonly partialAs: string | null;
}

/** A log record that says a task's state. Trace '' when it was written outside any. */
export interface PlannedLog {
  readonly trace: string;
  readonly span: string;
  readonly task: string;
  readonly state: string;
  readonly time: bigint;
}

/** A point of a counter; each has a series of its own. */
export interface PlannedPoint {
  readonly key: string;
  readonly time: bigint;
  readonly value: number;
}

export interface PlannedTask {
  readonly id: string;
  readonly shape: Shape;
  readonly spans: readonly PlannedSpan[];
  readonly logs: readonly PlannedLog[];
  readonly points: readonly PlannedPoint[];
}

/** The shapes that go wrong when a derivation is wrong. */
export const shapes = [
  /** Every span carries the id. */
  'declared',
  /** Only the root carries it, and comes last: until then the trace names the task. */
  'late',
  /** Nothing carries an id. */
  'unnamed',
  /** Two traces, the second days later, with a wait in between. */
  'resumed',
  /** Begins before midnight; what is after midnight arrives first. */
  'midnight',
  /** Spans are sent unfinished first, some under an id that turns out wrong. */
  'partial',
  /** State records in and outside the trace. */
  'logged',
] as const;
export type Shape = (typeof shapes)[number];

const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;
const models = ['gpt-4o', 'gpt-4o-mini'] as const;

/** Plans tasks without end; the same seed plans the same. `now` (ms since 1970) is when the youngest of them ended. */
export function planner(seed: number, now: number): () => PlannedTask {
  const random = randomFrom(seed);
  const midnight = (BigInt(now) * 1_000_000n) / DAY;
  let serial = 0;
  const hex = (length: number) =>
    Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  const int = (below: number) => Math.floor(random() * below);

  function trace(id: string, start: bigint, shape: Shape): PlannedSpan[] {
    const traceId = hex(32);
    const rootId = hex(16);
    const children = 2 + int(8);
    const everyone = shape === 'declared' || shape === 'resumed' || shape === 'partial';
    let at = start;
    const step = shape === 'midnight' ? 20n : 1n;
    const spans = Array.from({ length: children }, (): PlannedSpan => {
      const kind = random() < 0.6 ? 'chat' : 'tool';
      const input = kind === 'chat' ? 1 + int(5000) : 0;
      at += SECOND * step;
      return {
        trace: traceId,
        span: hex(16),
        parent: rootId,
        kind,
        start: at,
        end: at + SECOND / 2n,
        carries: everyone ? id : '',
        model: models[int(models.length)] ?? 'gpt-4o',
        input,
        output: kind === 'chat' ? 1 + int(800) : 0,
        cached: kind === 'chat' && random() < 0.4 ? int(input) : 0,
        partialAs: shape === 'partial' ? (random() < 0.3 ? `wrong-${traceId}` : id) : null,
      };
    });
    const root: PlannedSpan = {
      trace: traceId,
      span: rootId,
      parent: '',
      kind: 'agent',
      start,
      end: at + SECOND,
      carries: shape === 'unnamed' ? '' : id,
      model: '',
      input: 0,
      output: 0,
      cached: 0,
      partialAs: shape === 'partial' ? id : null,
    };
    return [...spans, root];
  }

  return () => {
    const shape = shapes[serial % shapes.length] ?? 'declared';
    serial += 1;
    const id = `task-${seed}-${serial}`;
    // Two to three days ago, so that whatever ends by itself has ended.
    const day = (midnight - 3n) * DAY;
    const start =
      shape === 'midnight' ? day + DAY - 10n * SECOND : day + BigInt(int(80_000)) * SECOND;
    const spans = trace(id, start, shape);
    if (shape === 'resumed') spans.push(...trace(id, start + DAY, shape));
    const [first] = spans;
    const named = shape === 'unnamed' ? (first?.trace ?? '') : id;
    const last = spans.reduce((max, span) => (span.end > max ? span.end : max), 0n);
    const root = spans.findLast(({ kind }) => kind === 'agent');
    const logs: PlannedLog[] =
      shape !== 'logged' || root === undefined
        ? []
        : [
            { trace: '', span: '', task: id, state: 'queued', time: start - 5n * SECOND },
            { trace: root.trace, span: root.span, task: id, state: 'running', time: start },
            { trace: root.trace, span: root.span, task: id, state: 'done', time: last },
          ];
    const points = Array.from({ length: serial % 3 }, (_, i) => ({
      key: `${id} ${i}`,
      time: start + BigInt(i) * SECOND,
      value: serial * 10 + i,
    }));
    return { id: named, shape, spans, logs, points };
  };
}
