import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Recorder, record } from '../test/recorder.ts';
import {
  type ApprovalAsk,
  ApprovalDeniedError,
  type Approver,
  type Risk,
  tool,
  type Verdict,
  withTask,
} from './index.ts';

let recorder: Recorder;
afterEach(async () => {
  // The exporter in memory answers by timer.
  if (vi.isFakeTimers()) await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
  await recorder.handle.shutdown();
});

async function pay(risk: Risk, approver: Approver): Promise<unknown> {
  recorder = record({ approvals: { approver, mediumDelayMs: 5, expiresMs: 5 } });
  const tools = tool({ name: 'pay', risk }, async (input: { usd: number }) => `paid ${input.usd}`);
  return withTask({ workflow: 'w', id: 'a' }, () => tools({ usd: 9 })).catch((error) => error);
}

const never = (): Promise<never> => new Promise(() => undefined);
const statuses = (): unknown[] =>
  recorder.logs('agent.approval').map((log) => log['agent.approval.status']);

it.each([
  ['low', 'nobody is asked', never, 'paid 9', []],
  ['medium', 'runs when nobody objects', never, 'paid 9', ['requested', 'approved']],
  ['medium', 'can be vetoed', () => ({ status: 'denied' }), 'denied', ['requested', 'denied']],
  [
    'high',
    'waits for its approval',
    async () => ({ status: 'approved' }),
    'paid 9',
    ['requested', 'approved'],
  ],
  ['high', 'is denied when nobody decides', never, 'in time', ['requested', 'expired']],
  [
    'high',
    'is denied by an approver that throws',
    () => {
      throw new Error('bug');
    },
    'failed',
    ['requested', 'denied'],
  ],
  [
    'high',
    'is denied by an approver that rejects',
    () => Promise.reject(new Error('bug')),
    'failed',
    ['requested', 'denied'],
  ],
  [
    'critical',
    'needs a name',
    () => ({ status: 'approved' }),
    'needs the name',
    ['requested', 'denied'],
  ],
  [
    'critical',
    'runs with a name',
    () => ({ status: 'approved', by: 'eve' }),
    'paid 9',
    ['requested', 'approved'],
  ],
] as [Risk, string, Approver, string, string[]][])(
  '%s risk: %s',
  async (risk, _, approver, seen, told) => {
    const result = await pay(risk, approver);
    expect(String(result)).toContain(seen);
    if (!seen.startsWith('paid')) {
      expect(result).toBeInstanceOf(ApprovalDeniedError);
      expect(recorder.span('execute_tool pay').attributes['error.type']).toBe('approval_denied');
    }
    expect(statuses()).toEqual(told);
  },
);

describe('the delay of a medium risk', () => {
  /** Starts a call; tells whether the tool has run. */
  function call(approver: Approver) {
    vi.useFakeTimers();
    recorder = record({ approvals: { approver } });
    let ran = false;
    const pays = tool({ name: 'pay', risk: 'medium' }, async () => {
      ran = true;
    });
    const result = pays().catch((error: unknown) => error);
    return { result, ran: () => ran };
  }

  it('is waited for, five seconds by default', async () => {
    const { ran } = call(never);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(ran()).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(ran()).toBe(true);
  });

  it('is cut short by a verdict', async () => {
    let decide: (verdict: Verdict) => void = () => undefined;
    const { ran } = call(() => new Promise((resolve) => (decide = resolve)));
    await vi.advanceTimersByTimeAsync(1_000);
    decide({ status: 'approved' });
    await vi.advanceTimersByTimeAsync(0);
    expect(ran()).toBe(true);
  });

  it('is time for a veto', async () => {
    let decide: (verdict: Verdict) => void = () => undefined;
    const { result, ran } = call(() => new Promise((resolve) => (decide = resolve)));
    await vi.advanceTimersByTimeAsync(4_000);
    decide({ status: 'denied', by: 'eve', reason: 'not today' });
    await vi.advanceTimersByTimeAsync(9_000);
    expect(ran()).toBe(false);
    expect(await result).toMatchObject({ code: 'approval_denied' });
  });
});

it('tells the approver which call of which tool it decides on, and records the same', async () => {
  const asked: ApprovalAsk[] = [];
  const approver: Approver = (ask) => {
    asked.push(ask);
    return { status: 'approved', by: 'ann', reason: 'fine' };
  };
  await pay('critical', approver);
  expect(asked).toMatchObject([{ tool: 'pay', risk: 'critical', input: { usd: 9 } }]);
  const [request, decision] = recorder.logs('agent.approval');
  expect(request).toMatchObject({
    'agent.approval.id': asked[0]?.id,
    'agent.approval.action': 'pay',
    'agent.approval.risk': 'critical',
    'agent.approval.expires_at': expect.stringMatching(/Z$/),
    'agent.task.id': 'a',
  });
  expect(decision).toMatchObject({
    'agent.approval.id': asked[0]?.id,
    'agent.approval.by': 'ann',
    'agent.approval.reason': 'fine',
  });
});

it('a tool without a declared risk asks nobody', async () => {
  recorder = record({ approvals: { approver: () => ({ status: 'denied' }) } });
  expect(await tool({ name: 'pay' }, async () => 'paid')()).toBe('paid');
  expect(statuses()).toEqual([]);
});

describe('a circuit breaker', () => {
  it('lets one call try after the cool-down, and opens again when it fails', async () => {
    vi.useFakeTimers();
    recorder = record();
    let calls = 0;
    const options = { name: 'send', circuitBreaker: { failures: 2 } };
    const send = tool(options, async () => {
      calls += 1;
      throw new Error('smtp down');
    });
    const fail = () => send().catch((error: unknown) => error);
    // Its clock does not start with the process.
    await vi.advanceTimersByTimeAsync(3_600_000);
    await fail();
    await fail();
    expect(await fail()).toMatchObject({ code: 'circuit_open', retryAfterMs: 30_000 });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await fail()).toMatchObject({ retryAfterMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    const [first, second] = await Promise.all([fail(), fail()]);
    expect([first, second]).toMatchObject([{ message: 'smtp down' }, { code: 'circuit_open' }]);
    expect(await fail()).toMatchObject({ code: 'circuit_open' });
    expect(calls).toBe(3);
  });

  it('is closed by a success, and not opened by calls that were refused', async () => {
    recorder = record();
    const results = [false, true, false, true];
    const options = { name: 'send', circuitBreaker: { failures: 2 } };
    const send = tool(options, async () => {
      if (!results.shift()) throw new Error('smtp down');
    });
    for (let count = 0; count < 4; count += 1) await send().catch(() => undefined);
    expect(results).toEqual([]);
    const guarded = tool(options, async () => 'sent');
    await withTask({ workflow: 'w', budget: { toolCalls: 0 } }, async () => {
      for (let count = 0; count < 3; count += 1) await guarded().catch(() => undefined);
    });
    expect(await guarded()).toBe('sent');
  });

  it('of one tool is nothing to another', async () => {
    recorder = record();
    const make = (name: string) =>
      tool({ name, circuitBreaker: { failures: 1 } }, async () => {
        throw new Error(name);
      });
    const [one, other] = [make('one'), make('other')];
    await one().catch(() => undefined);
    await expect(one()).rejects.toMatchObject({ code: 'circuit_open' });
    await expect(other()).rejects.toThrow('other');
    expect(recorder.span('execute_tool other').attributes['error.type']).toBe('Error');
  });
});

it('leaves a tool alone that keeps failing, and tries it again after the cool-down', async () => {
  recorder = record();
  let down = true;
  const send = async (): Promise<string> => {
    if (down) throw new Error('smtp down');
    return 'sent';
  };
  const guarded = (coolDownMs: number) =>
    tool({ name: 'send', circuitBreaker: { failures: 2, coolDownMs } }, send);
  const [patient, eager] = [guarded(60_000), guarded(0)];
  const seen: string[] = [];
  for (const call of [patient, patient, patient, patient, eager, eager]) {
    seen.push(await call().catch((error: Error) => error.name));
  }
  expect(seen).toEqual([
    'Error',
    'Error',
    'CircuitOpenError',
    'CircuitOpenError',
    'Error',
    'Error',
  ]);
  down = false;
  expect(await eager()).toBe('sent');
  await expect(patient()).rejects.toThrow('failed 2 times in a row');
});
