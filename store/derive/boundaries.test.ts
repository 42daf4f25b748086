import { describe, expect, it } from 'vitest';
import { type Boundary, boundariesOf } from './boundaries.ts';
import { logRow, ms, span, stateLog, taskLog } from './fixtures.ts';
import { deriveTasks } from './task.ts';

const minutes = (n: number) => n * 60_000;
const idle = 30n * 60_000_000_000n;
const talk: Boundary = { by: 'conversation', idle };
const boundaries = (list: Readonly<Record<string, Boundary>>) =>
  boundariesOf(new Map(Object.entries(list)));

/** One turn of a conversation, a trace of its own. */
function turn(trace_id: string, at: number, fields: Parameters<typeof span>[0] | object = {}) {
  const start = ms(minutes(at));
  const own = { trace_id, span_id: `${trace_id}-1`, start, end: start + 1_000_000_000n };
  return span({ ...own, conversation_id: 'c', workflow: 'chat', ...fields });
}

const brief = (tasks: ReturnType<typeof deriveTasks>) =>
  tasks.map(({ task_id, trace_ids }) => `${task_id} ${trace_ids.join('+')}`);

describe('a conversation as boundary', () => {
  const chat = boundaries({ chat: talk });

  it('joins traces until half an hour of silence', () => {
    const spans = [turn('t3', 75), turn('t1', 0), turn('t2', 29), turn('t4', 80)];
    expect(brief(deriveTasks(spans, [], chat))).toEqual(['c:t1 t1+t2', 'c:t3 t3+t4']);
    expect(brief(deriveTasks(spans, []))).toEqual(['t1 t1', 't2 t2', 't3 t3', 't4 t4']);
  });

  it('counts silence from the last signal, not from the last start', () => {
    const long = turn('t1', 0, { end: ms(minutes(60)) });
    expect(brief(deriveTasks([long, turn('t2', 80)], [], chat))).toEqual(['c:t1 t1+t2']);
  });

  it('begins a new task after one that has ended', () => {
    const { task_id: _, ...ended } = taskLog(stateLog(ms(minutes(1)), '', 'done'));
    const log = { ...ended, task_id: '', task_id_kind: '', trace_id: 't1', conversation_id: 'c' };
    const spans = [turn('t1', 0), turn('t2', 2)];
    expect(brief(deriveTasks(spans, [log], chat))).toEqual(['c:t1 t1', 'c:t2 t2']);
  });

  it('leaves alone other workflows, traces with an id, and traces without a conversation', () => {
    const spans = [
      turn('t1', 0),
      turn('t2', 1, { workflow: 'other' }),
      turn('t3', 2, { task_id: 'A', task_id_kind: 'declared' }),
      turn('t4', 3, { conversation_id: '' }),
    ];
    expect(brief(deriveTasks(spans, [], chat))).toEqual(['A t3', 'c:t1 t1', 't2 t2', 't4 t4']);
  });

  it('may be the rule for all', () => {
    const spans = [turn('t1', 0, { workflow: '' }), turn('t2', 1, { workflow: 'x' })];
    expect(brief(deriveTasks(spans, [], boundaries({ '*': talk })))).toEqual(['c:t1 t1+t2']);
  });
});

describe('a span as boundary', () => {
  const batch = boundaries({ classify: { by: 'span', match: 'classify_item' } });
  const spans = [
    span({ span_id: 'root', workflow: 'classify' }),
    span({ span_id: 'a', parent_id: 'root', name: 'classify_item' }),
    span({ span_id: 'a1', parent_id: 'a', kind: 'llm', input_tokens: 5n, output_tokens: 1n }),
    span({ span_id: 'b', parent_id: 'root', name: 'classify_item' }),
    span({ span_id: 'b1', parent_id: 'b', kind: 'llm', input_tokens: 7n, output_tokens: 1n }),
  ];

  it('makes each such span a task of what lies below it', () => {
    const tasks = deriveTasks(spans, [], batch);
    expect(tasks.map((one) => [one.task_id, one.spans, one.input_tokens])).toEqual([
      ['t1', 1, null],
      ['t1:a', 2, 5n],
      ['t1:b', 2, 7n],
    ]);
  });

  it('lets each say what is said around it, where it does not say so itself', () => {
    const [root, a, ...rest] = spans.map((one) => ({ ...one }));
    if (root === undefined || a === undefined) throw new Error('no spans');
    const around = { ...root, task_traffic: 'eval', user_id: 'u-1', release: 'v1' };
    const own = { ...a, user_id: 'u-2', release: 'v2' };
    const tasks = deriveTasks([around, own, ...rest], [], batch);
    expect(tasks.map((one) => [one.task_id, one.workflow, one.traffic, one.user_id])).toEqual([
      ['t1', 'classify', 'eval', 'u-1'],
      ['t1:a', 'classify', 'eval', 'u-2'],
      ['t1:b', 'classify', 'eval', 'u-1'],
    ]);
    expect(tasks.map(({ release }) => release)).toEqual(['v1', 'v2', 'v1']);
  });

  it('takes a kind as well, and gives a log record to the task of its span', () => {
    const byKind = boundaries({ classify: { by: 'span', match: 'llm' } });
    const log = taskLog(logRow({ event_name: 'note', trace_id: 't1', span_id: 'b1' }));
    const tasks = deriveTasks(spans, [log], byKind);
    expect(tasks.map(({ task_id, spans: n }) => [task_id, n])).toEqual([
      ['t1', 3],
      ['t1:a1', 1],
      ['t1:b1', 1],
    ]);
  });

  it('gives way to an id', () => {
    const named = [
      span({ span_id: 'root', task_id: 'A', task_id_kind: 'declared', workflow: 'classify' }),
    ];
    expect(brief(deriveTasks([...named, ...spans.slice(1)], [], batch))).toEqual(['A t1']);
  });
});
