import { describe, expect, it } from 'vitest';
import { Queue } from './queue.ts';
import { type Candidate, dueAt, nextSlice, waitsForEarlierDays } from './schedule.ts';

const at = 1_800_000_000_000;

function task(own: Partial<Candidate> = {}): Candidate {
  return {
    day: 20_000,
    task_id: 't',
    ver: BigInt(at) * 1000n,
    declared_state: 'done',
    root_ended: false,
    root_error: false,
    tool_errors: 0,
    started_at: at - 1000,
    last_signal_at: at - 500,
    spans: 10,
    judged_open_at: null,
    ...own,
  };
}

describe('when a task is due', () => {
  it.each([
    ['ended', {}, at],
    ['open', { declared_state: 'running' }, at + 10_000],
    ['judged while open', { declared_state: 'running', judged_open_at: 0 }, at - 499 + 3_600_000],
    [
      'its root has ended',
      { declared_state: '', root_ended: true, judged_open_at: 0 },
      at + 29_501,
    ],
    ['queued', { declared_state: 'queued', judged_open_at: 0 }, at - 499 + 24 * 3_600_000],
    [
      'it waits for a person, whatever its root',
      { declared_state: 'waiting_for_approval', root_ended: true, judged_open_at: 0 },
      at - 499 + 7 * 24 * 3_600_000,
    ],
  ])('%s', (_name, own, expected) => {
    expect(dueAt(task(own))).toBe(expected);
  });
});

describe('which tasks come next', () => {
  const ids = (tasks: readonly Candidate[]) => tasks.map(({ task_id }) => task_id);
  const bounds = { tasks: 10, spans: 100 };

  it('the failed ones first, then by start', () => {
    const due = [
      task({ task_id: 'b', started_at: at - 1 }),
      task({ task_id: 'a', started_at: at - 2 }),
      task({ task_id: 'failed', declared_state: 'failed', started_at: at }),
    ];
    expect(ids(nextSlice(due, bounds))).toEqual(['failed', 'a', 'b']);
  });

  it('of one day, and no more than the bounds', () => {
    const due = [1, 2, 3].map((n) => task({ task_id: `${n}`, started_at: n, spans: 60 }));
    expect(ids(nextSlice(due, bounds))).toEqual(['1']);
    expect(ids(nextSlice(due, { tasks: 2, spans: 1000 }))).toEqual(['1', '2']);
    const days = [task({ task_id: 'x' }), task({ task_id: 'y', day: 20_001 })];
    expect(ids(nextSlice(days, bounds))).toEqual(['x']);
  });

  it('one that is larger than the bound, alone', () => {
    const due = [task({ task_id: 'huge', spans: 1_000_000, started_at: 0 }), task()];
    expect(ids(nextSlice(due, bounds))).toEqual(['huge']);
  });
});

describe('a backfill', () => {
  it('lets tasks of past days wait until earlier days are quiet, for a minute at most', () => {
    const arrived = (ms: number) => () => at - ms;
    expect(waitsForEarlierDays(task(), 20_001, arrived(2_999), at)).toBe(true);
    expect(waitsForEarlierDays(task(), 20_001, arrived(3_000), at)).toBe(false);
    expect(waitsForEarlierDays(task(), 20_000, arrived(0), at)).toBe(false);
    const old = task({ ver: BigInt(at - 60_001) * 1000n });
    expect(waitsForEarlierDays(old, 20_001, arrived(0), at)).toBe(false);
  });
});

describe('the queue', () => {
  it('keeps a version that came while the older one was judged', () => {
    const queue = new Queue();
    const old = task();
    const newer = task({ ver: old.ver + 1n });
    queue.offer([old]);
    queue.offer([newer]);
    queue.offer([old]);
    queue.judged(old, false, at);
    expect(queue.due(at + 1)).toEqual([newer]);
    queue.judged(newer, false, at);
    expect(queue.size).toBe(0);
  });

  it('looks again at an open task when it ends', () => {
    const queue = new Queue();
    const open = task({ declared_state: 'running' });
    queue.offer([open]);
    queue.judged(open, true, at);
    expect(queue.due(at + 10_000)).toEqual([]);
    expect(queue.due(at + 3_600_000)).toHaveLength(1);
    // Still open then: its workflow is more patient.
    queue.judged(open, true, at + 3_600_000);
    expect(queue.due(at + 3_600_000 + 599_999)).toEqual([]);
    expect(queue.due(at + 3_600_000 + 600_000)).toHaveLength(1);
  });

  it('tries what failed again, later each time', () => {
    const queue = new Queue();
    queue.offer([task()]);
    queue.failed(task(), at);
    expect(queue.due(at + 3_999)).toEqual([]);
    expect(queue.due(at + 4_000)).toHaveLength(1);
    queue.failed(task(), at + 4_000);
    expect(queue.due(at + 19_999)).toEqual([]);
    expect(queue.due(at + 20_000)).toHaveLength(1);
  });

  it('lets a large task rest, whatever arrives', () => {
    const queue = new Queue();
    queue.offer([task()]);
    queue.judged(task(), false, at);
    queue.rest(task(), at + 5_000);
    queue.offer([task({ ver: BigInt(at + 1) * 1000n })]);
    expect(queue.due(at + 4_999)).toEqual([]);
    expect(queue.due(at + 5_000)).toHaveLength(1);
  });
});
