import { afterEach, expect, it } from 'vitest';
import { type Recorder, record } from '../test/recorder.ts';
import { ApprovalDeniedError, type Approver, type Risk, tool, withTask } from './index.ts';

let recorder: Recorder;
afterEach(() => recorder.handle.shutdown());

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
