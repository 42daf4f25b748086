import { describe, expect, it } from 'vitest';
import { attribute } from './attribution.ts';
import { logRow, span, taskLog } from './fixtures.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';
import { plantTrace } from './trace.ts';

const declared = (task_id: string) => ({ task_id, task_id_kind: 'declared' });
const run = (task_id: string) => ({ task_id, task_id_kind: 'run' });

function ownersOf(spans: readonly TaskSpan[], logs: readonly TaskLog[] = [], id = 't1') {
  const trace = plantTrace(id, spans, logs);
  const owners = attribute(trace);
  return {
    spans: Object.fromEntries(
      trace.spans.map(({ span_id }, i) => [span_id, text(owners.spans[i] ?? null)]),
    ),
    logs: owners.logs.map(text),
  };
}

function text(owner: { task: string; by: string } | null): string {
  return owner === null ? 'none' : `${owner.task} ${owner.by}`;
}

describe('attribution', () => {
  it('gives the whole trace to its only declared id, also spans above and beside it', () => {
    const { spans } = ownersOf([
      span({ span_id: 'root' }),
      span({ span_id: 'task', parent_id: 'root', ...declared('A') }),
      span({ span_id: 'beside', parent_id: 'root' }),
      span({ span_id: 'orphan', parent_id: 'lost' }),
    ]);
    expect(new Set(Object.values(spans))).toEqual(new Set(['A declared']));
  });

  it('follows the nearest declared id where a trace has several', () => {
    const { spans } = ownersOf([
      span({ span_id: 'a', ...declared('A') }),
      span({ span_id: 'a1', parent_id: 'a' }),
      span({ span_id: 'b', parent_id: 'a1', ...declared('B') }),
      span({ span_id: 'b1', parent_id: 'b', ...run('r') }),
      span({ span_id: 'a2', parent_id: 'a' }),
    ]);
    expect(spans).toEqual({
      a: 'A declared',
      a1: 'A declared',
      b: 'B declared',
      b1: 'B declared',
      a2: 'A declared',
    });
  });

  it('names what lies above several declared ids by the trace and calls it ambiguous', () => {
    const { spans } = ownersOf([
      span({ span_id: 'batch', ...run('r') }),
      span({ span_id: 'a', parent_id: 'batch', ...declared('A') }),
      span({ span_id: 'b', parent_id: 'batch', ...declared('B') }),
      span({ span_id: 'lone', parent_id: 'not arrived' }),
    ]);
    expect(spans).toEqual({
      batch: 't1 ambiguous',
      a: 'A declared',
      b: 'B declared',
      lone: 't1 ambiguous',
    });
  });

  it('keeps sub-agents with run ids of their own in the outermost run', () => {
    const { spans } = ownersOf([
      span({ span_id: 'http' }),
      span({ span_id: 'agent', parent_id: 'http', ...run('outer') }),
      span({ span_id: 'sub', parent_id: 'agent', ...run('inner') }),
      span({ span_id: 'chat', parent_id: 'sub' }),
    ]);
    expect(new Set(Object.values(spans))).toEqual(new Set(['outer run']));
  });

  it('does not split a trace by run ids that stand side by side', () => {
    const { spans } = ownersOf([
      span({ span_id: 'http' }),
      span({ span_id: 'one', parent_id: 'http', ...run('r1') }),
      span({ span_id: 'two', parent_id: 'http', ...run('r2') }),
    ]);
    expect(new Set(Object.values(spans))).toEqual(new Set(['t1 trace']));
  });

  it('ignores run ids wherever something is declared', () => {
    const { spans } = ownersOf([
      span({ span_id: 'agent', ...run('r') }),
      span({ span_id: 'step', parent_id: 'agent', ...declared('A') }),
    ]);
    expect(spans).toEqual({ agent: 'A declared', step: 'A declared' });
  });

  it('names a trace without ids by itself', () => {
    expect(ownersOf([span({ span_id: 'x' })]).spans).toEqual({ x: 't1 trace' });
  });

  it('ends on parents that form a cycle', () => {
    const { spans } = ownersOf([
      span({ span_id: 'a', parent_id: 'c', ...declared('A') }),
      span({ span_id: 'b', parent_id: 'a' }),
      span({ span_id: 'c', parent_id: 'b' }),
      span({ span_id: 'self', parent_id: 'self', ...declared('B') }),
      span({ span_id: 'below', parent_id: 'c' }),
    ]);
    expect(spans).toEqual({
      a: 'A declared',
      b: 'A declared',
      c: 'A declared',
      below: 'A declared',
      self: 'B declared',
    });
  });

  it('walks a chain of 20,000 spans', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) =>
      span({ span_id: `s${i}`, parent_id: i === 0 ? '' : `s${i - 1}` }),
    );
    const owners = attribute(
      plantTrace(
        't1',
        [...chain, span({ span_id: 'z', parent_id: 's19999', ...declared('Z') })],
        [taskLog(logRow({ event_name: 'x', ...declared('A') }))],
      ),
    );
    expect(owners.spans.at(-1)).toEqual({ task: 'Z', by: 'declared' });
    expect(owners.spans[0]).toEqual({ task: 't1', by: 'ambiguous' });
  });

  it('gives a log the id it carries, else the task of its span, else that of its trace', () => {
    const { logs } = ownersOf(
      [
        span({ span_id: 'a', ...declared('A') }),
        span({ span_id: 'b', parent_id: 'a', ...declared('B') }),
      ],
      [
        taskLog(logRow({ event_name: 'own', span_id: 'b', ...declared('A') })),
        taskLog(logRow({ event_name: 'of its span', span_id: 'b' })),
        taskLog(logRow({ event_name: 'span not arrived', span_id: 'later' })),
      ],
    );
    expect(logs).toEqual(['A declared', 'B declared', 't1 ambiguous']);
  });

  it('lets a log name the task of a trace whose spans carry no id', () => {
    const { spans } = ownersOf(
      [span({ span_id: 'x' })],
      [taskLog(logRow({ event_name: 'agent.task.state', ...declared('A') }))],
    );
    expect(spans).toEqual({ x: 'A declared' });
  });

  it('gives an approval to the task it names, not the request in which it was decided', () => {
    const { spans, logs } = ownersOf(
      [span({ span_id: 'POST /approvals' })],
      [taskLog(logRow({ event_name: 'agent.approval', ...declared('A') }))],
    );
    expect(spans).toEqual({ 'POST /approvals': 't1 trace' });
    expect(logs).toEqual(['A declared']);
  });

  it('makes a task from logs without a trace when they carry an id', () => {
    const { logs } = ownersOf(
      [],
      [
        taskLog(logRow({ event_name: 'claude_code.api_request', trace_id: '', ...declared('A') })),
        taskLog(logRow({ event_name: 'claude_code.api_request', trace_id: '', ...run('r') })),
        taskLog(logRow({ event_name: 'noise', trace_id: '' })),
      ],
      '',
    );
    expect(logs).toEqual(['A declared', 'r run', 'none']);
  });
});
