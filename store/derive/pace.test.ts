import { describe, expect, test } from 'vitest';
import { createPace } from './pace.ts';

function paceAt() {
  const clock = { now: 0 };
  const asked: string[][] = [];
  const pace = createPace(
    async (_project, traces, tasks) => {
      asked.push([...traces]);
      return traces
        .filter((trace) => trace.startsWith('of-big'))
        .flatMap((trace) => {
          const [task] = tasks;
          return task === undefined ? [] : [{ trace, task }];
        });
    },
    () => clock.now,
  );
  return { clock, asked, pace };
}

const touched = (traces: string[], tasks: string[] = []) => [{ project: 'p', traces, tasks }];
const row = (task_id: string, spans: number, ...trace_ids: string[]) => ({
  task_id,
  spans,
  trace_ids,
});

describe('the pace of large tasks', () => {
  test('small tasks are not asked about', async () => {
    const { pace, asked } = paceAt();
    pace.note('p', [row('small', 999, 't')], 5000);
    expect(await pace.large(touched(['t']))).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('a large task is due ten times its share of the derivation later', async () => {
    const { pace } = paceAt();
    pace.note('p', [row('big', 3000, 't'), row('small', 500, 'a'), row('other', 500, 'b')], 400);
    expect(pace.dueAt('p', 'big')).toBe(10 * 300);
    expect(pace.dueAt('p', 'small')).toBe(Number.NEGATIVE_INFINITY);
    expect(pace.dueAt('q', 'big')).toBe(Number.NEGATIVE_INFINITY);
  });

  test('its traces, its traceless records and traces that are new are told apart from the rest', async () => {
    const { pace, asked } = paceAt();
    pace.note('p', [row('big', 3000, 't')], 400);
    const parts = await pace.large(touched(['t', 'of-big-1', 'x'], ['big', 'y']));
    expect(parts).toEqual([
      {
        project: 'p',
        task: 'big',
        touched: { project: 'p', traces: ['t', 'of-big-1'], tasks: ['big'] },
      },
    ]);
    expect(asked).toEqual([['of-big-1', 'x']]);
    expect(await pace.large([{ project: 'q', traces: ['t'], tasks: [] }])).toEqual([]);
  });

  test('a small task that shares a trace with a large one is as dear', async () => {
    const { pace } = paceAt();
    pace.note('p', [row('big', 3000, 't')], 400);
    pace.note('p', [row('guest', 2, 't', 'u')], 300);
    expect(pace.dueAt('p', 'guest')).toBe(3000);
  });

  test('what rests is small again', async () => {
    const { pace, clock } = paceAt();
    pace.note('p', [row('big', 3000, 't')], 400);
    clock.now = 600_001;
    expect(await pace.large(touched(['t']))).toEqual([]);
  });

  test('one that shrank is small again', async () => {
    const { pace } = paceAt();
    pace.note('p', [row('big', 3000, 't')], 400);
    pace.note('p', [row('big', 10, 't')], 400);
    expect(await pace.large(touched(['t']))).toEqual([]);
  });
});
