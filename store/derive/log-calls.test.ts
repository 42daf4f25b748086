import { describe, expect, it } from 'vitest';
import type { LogRow } from '../tables/logs.ts';
import { logRow, ms, span, taskLog } from './fixtures.ts';
import { usageSum } from './log-calls.ts';
import { deriveTasks } from './task.ts';

const at = { task_id: 'p', task_id_kind: 'declared' } as const;

const chat = (span_id: string, response_id: string, service = 'cli') =>
  span({
    ...at,
    span_id,
    kind: 'llm',
    service,
    response_id,
    request_model: 'm',
    input_tokens: 10n,
    output_tokens: 1n,
    start: ms(Number(span_id) * 1000),
  });

const told = (n: number, response_id: string, values: Partial<LogRow> = {}) =>
  taskLog(
    logRow({
      ...at,
      event_name: 'api_request',
      trace_id: '',
      kind: 'llm',
      service: 'cli',
      response_id,
      request_model: 'm',
      input_tokens: 10n,
      output_tokens: 1n,
      duration_ms: 500,
      time: ms(n * 1000),
      hash: BigInt(n),
      ...values,
    }),
  );

/** Calls, input tokens, and which calls were told of by records or metrics. */
function counted(...items: readonly (ReturnType<typeof chat> | ReturnType<typeof told>)[]) {
  const spans = items.flatMap((item) => ('parent_id' in item ? [item] : []));
  const logs = items.flatMap((item) => ('parent_id' in item ? [] : [item]));
  const answers = [deriveTasks(spans, logs), deriveTasks(spans.toReversed(), logs.toReversed())];
  expect(answers[1]).toEqual(answers[0]);
  const [task] = answers[0] ?? [];
  return [task?.llm_calls, task?.tool_calls, task?.input_tokens];
}

describe('a call told of in log records', () => {
  it('counts where no span tells of it', () => {
    expect(counted(told(1, 'a'), told(2, 'b'))).toEqual([2, 0, 20n]);
    expect(counted(chat('1', 'a'), told(1, 'a'), told(2, 'b'))).toEqual([2, 0, 20n]);
    expect(counted(chat('1', 'a', 'other'), told(1, ''))).toEqual([2, 0, 20n]);
  });

  it('does not where its service has spans and nothing tells the calls apart', () => {
    expect(counted(chat('1', 'a'), told(2, ''))).toEqual([1, 0, 10n]);
    expect(counted(chat('1', ''), told(2, 'b'))).toEqual([1, 0, 10n]);
    expect(counted(chat('1', 'a', 'gateway'), told(1, 'a'))).toEqual([1, 0, 10n]);
  });

  it('counts once however many records name it', () => {
    expect(counted(told(1, 'a'), told(2, 'a'), told(3, ''), told(4, ''))).toEqual([3, 0, 30n]);
  });

  it('is told apart from tools by its kind', () => {
    const tool = told(3, '', {
      kind: 'tool',
      tool_name: 'Bash',
      input_tokens: null,
      output_tokens: null,
    });
    expect(counted(chat('1', ''), tool)).toEqual([1, 1, 10n]);
  });

  it('goes before the metrics of its service, not before those of another', () => {
    const sum = (service: string) =>
      told(9, '', { kind: usageSum, service, input_tokens: 100n, output_tokens: 10n });
    expect(counted(told(1, 'a'), sum('cli'))).toEqual([1, 0, 10n]);
    expect(counted(told(1, 'a'), sum('batch'))).toEqual([2, 0, 110n]);
    expect(counted(chat('1', 'a'), sum('cli'))).toEqual([1, 0, 10n]);
    expect(counted(sum('cli'))).toEqual([1, 0, 100n]);
  });
});

describe('a task without spans', () => {
  const [task] = deriveTasks([], [told(1, 'a'), told(4, 'b')]);

  it('begins with its first call and ends with its last word', () => {
    expect(task).toMatchObject({
      started_at: ms(500),
      last_signal_at: ms(4000),
      ended_at: ms(4000),
      root_ended: 1,
      root_error: 0,
      spans: 0,
    });
  });

  it('failed where its last call did', () => {
    const failed = told(5, 'c', { call_status: 'span', input_tokens: null, output_tokens: null });
    expect(deriveTasks([], [told(1, 'a'), failed])[0]).toMatchObject({
      root_ended: 1,
      root_error: 1,
    });
    expect(deriveTasks([], [failed, told(6, 'a')])[0]).toMatchObject({ root_error: 0 });
  });

  it('is what a person refused a call of', () => {
    const refused = told(2, '', { kind: 'approval', tool_call_id: 'c1', call_status: 'denied' });
    expect(deriveTasks([], [told(1, 'a'), refused])[0]).toMatchObject({
      approvals: 1,
      escalated: 1,
      declared_state: '',
    });
  });

  it('is no session in which nothing was called', () => {
    const quiet = told(1, '', { kind: '', task_id: 's', task_id_kind: 'session' });
    expect(deriveTasks([], [quiet])).toEqual([]);
    const called = told(1, '', { task_id: 's', task_id_kind: 'session' });
    expect(deriveTasks([], [called, quiet])).toMatchObject([
      { task_id: 's', attribution: 'session' },
    ]);
  });
});
