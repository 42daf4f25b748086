import { describe, expect, it } from 'vitest';
import { ms } from './fixtures.ts';
import { lifecycle } from './lifecycle.ts';

const at = (offset: number, state: string, reason = '') => ({ at: ms(offset), state, reason });
const approval = (offset: number, id: string, status: string) => ({ at: ms(offset), id, status });

function history(...states: ReturnType<typeof at>[]): string {
  return lifecycle(states, [], null)
    .transitions.map(({ state, applied }) => (applied ? state : `(${state})`))
    .join(' ');
}

describe('lifecycle', () => {
  const allowed = [
    'queued running done',
    'queued cancelled',
    'running waiting_for_approval running done',
    'running waiting_for_approval failed',
    'running waiting_for_approval cancelled',
    'running failed running done',
    'running failed queued running failed',
    'running done running done',
    'running cancelled running',
  ];
  for (const path of allowed) {
    it(`allows ${path}`, () => {
      expect(history(...path.split(' ').map((state, i) => at(i, state)))).toBe(path);
    });
  }

  it('keeps what it does not allow, as not applied', () => {
    expect(history(at(0, 'queued'), at(1, 'done'), at(2, 'running'), at(3, 'running'))).toBe(
      'queued (done) running (running)',
    );
    expect(history(at(0, 'running'), at(1, 'waiting_for_approval'), at(2, 'done'))).toBe(
      'running waiting_for_approval (done)',
    );
    expect(history(at(0, 'running'), at(1, 'failed'), at(2, 'done'))).toBe('running failed (done)');
    expect(history(at(0, 'running'), at(1, 'paused'), at(2, 'abandoned'))).toBe(
      'running (paused) (abandoned)',
    );
    expect(history(at(0, 'done'))).toBe('(done)');
  });

  it('lets a task with spans end although the record of its beginning is missing', () => {
    const life = lifecycle([at(5, 'done')], [], ms(0));
    expect(life.state).toBe('done');
    expect(life.endedAt).toBe(ms(5));
    expect(lifecycle([at(5, 'done')], [], ms(9)).state).toBe('');
  });

  it('orders by time, then by the list of transitions', () => {
    expect(history(at(1, 'done'), at(0, 'running'))).toBe('running done');
    expect(history(at(0, 'done'), at(0, 'running'), at(0, 'queued'))).toBe('queued running done');
    expect(
      history(at(0, 'running'), at(1, 'done'), at(1, 'waiting_for_approval'), at(1, 'running')),
    ).toBe('running waiting_for_approval running done');
  });

  it('reopens only by what comes after the end', () => {
    const life = lifecycle([at(0, 'running'), at(2, 'done'), at(1, 'running')], [], null);
    expect(life.state).toBe('done');
    expect(life.reopened).toBe(0);
    const reopened = lifecycle([at(0, 'running'), at(2, 'done'), at(3, 'running')], [], null);
    expect(reopened).toMatchObject({ state: 'running', reopened: 1, endedAt: null });
    expect(history(at(0, 'running'), at(2, 'queued'), at(2, 'done'), at(2, 'running'))).toBe(
      'running done (queued) (running)',
    );
  });

  it('counts one event once, however often it is told', () => {
    const life = lifecycle(
      [at(0, 'running'), at(0, 'running', 'started'), at(0, 'running')],
      [],
      null,
    );
    expect(life.transitions).toEqual([
      { at: ms(0), state: 'running', reason: 'started', applied: true },
    ]);
  });

  it('counts attempts and keeps the reason of the last failure', () => {
    const life = lifecycle(
      [
        at(0, 'running'),
        at(1, 'failed', 'timeout'),
        at(2, 'queued'),
        at(3, 'running'),
        at(4, 'failed', 'refused'),
      ],
      [],
      null,
    );
    expect(life).toMatchObject({
      retries: [ms(2)],
      failure: 'refused',
      endedAt: ms(4),
      queuedMs: 1,
    });
  });

  it('sums waiting for people and says since when it waits', () => {
    const waits = [
      at(0, 'running'),
      at(100, 'waiting_for_approval'),
      at(350, 'running'),
      at(400, 'waiting_for_approval'),
      at(1400, 'running'),
    ];
    expect(lifecycle(waits, [], null)).toMatchObject({ humanWaitMs: 1250, waitingSince: null });
    expect(lifecycle(waits.slice(0, 4), [], null)).toMatchObject({
      humanWaitMs: 250,
      waitingSince: ms(400),
      endedAt: null,
    });
  });
});

describe('lifecycle by approvals', () => {
  it('waits between request and decision where the task does not say so itself', () => {
    const life = lifecycle(
      [at(0, 'running'), at(90, 'done')],
      [
        approval(10, 'a', 'requested'),
        approval(20, 'b', 'requested'),
        approval(30, 'a', 'approved'),
        approval(60, 'b', 'approved'),
      ],
      null,
    );
    expect(life).toMatchObject({ state: 'done', humanWaitMs: 50 });
    expect(life.transitions.every(({ applied }) => applied)).toBe(true);
  });

  it('takes the word of a task that says itself when it waits', () => {
    const life = lifecycle(
      [at(0, 'running'), at(12, 'waiting_for_approval'), at(52, 'running'), at(90, 'done')],
      [approval(10, 'a', 'requested'), approval(30, 'a', 'approved')],
      null,
    );
    expect(life).toMatchObject({ state: 'done', humanWaitMs: 40 });
    expect(life.transitions).toHaveLength(4);
  });

  it('fails a task that says nothing more after a refusal', () => {
    const life = lifecycle(
      [at(0, 'running'), at(10, 'waiting_for_approval')],
      [approval(10, 'a', 'requested'), approval(70, 'a', 'expired')],
      null,
    );
    expect(life).toMatchObject({ state: 'failed', endedAt: ms(70), failure: 'approval expired' });
  });

  it('leaves a task that goes on after a refusal to its own word', () => {
    const life = lifecycle(
      [at(0, 'running'), at(10, 'waiting_for_approval'), at(80, 'running'), at(90, 'done')],
      [approval(10, 'a', 'requested'), approval(70, 'a', 'denied')],
      null,
    );
    expect(life).toMatchObject({ state: 'done', humanWaitMs: 70 });
  });

  it('does not hold up a task that went on while a request was open', () => {
    const life = lifecycle(
      [at(0, 'running'), at(50, 'done')],
      [approval(10, 'a', 'requested')],
      null,
    );
    expect(life.state).toBe('done');
  });
});
