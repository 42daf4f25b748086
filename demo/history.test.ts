import { describe, expect, it } from 'vitest';
import { type PastTask, pastTasks } from './history.ts';

const until = new Date('2026-11-20T18:00:00Z');
const options = { tasks: 3_000, until, seed: 7 };
const tasks = pastTasks(options);
const hoursAgo = (task: PastTask) => (until.getTime() - task.startedAt) / 3_600_000;
const support = tasks.filter((task) => task.workflow === 'support');

function successOf(some: readonly PastTask[]): number {
  const judged = some.filter((task) => task.outcome !== null);
  return judged.filter((task) => task.outcome === 'success').length / judged.length;
}

describe('the generated history', () => {
  it('is the same for the same seed and another for another', () => {
    expect(pastTasks(options)).toEqual(tasks);
    expect(pastTasks({ ...options, seed: 8 })[0]?.traceId).not.toBe(tasks[0]?.traceId);
  });

  it('has 3,000 tasks with ids of their own, in order, all ended inside the seven days', () => {
    expect(new Set(tasks.map((task) => task.id)).size).toBe(3_000);
    expect(new Set(tasks.map((task) => task.traceId)).size).toBe(3_000);
    expect(tasks.map((t) => t.startedAt)).toEqual(
      tasks.map((t) => t.startedAt).sort((a, b) => a - b),
    );
    for (const task of tasks) {
      expect(hoursAgo(task)).toBeLessThan(169);
      expect(task.endedAt).toBeLessThan(until.getTime());
      expect(task.endedAt).toBeGreaterThanOrEqual(task.steps.at(-1)?.endedAt ?? Infinity);
    }
  });

  it('falls from 92 % to 81 % on day six', () => {
    expect(successOf(support.filter((task) => hoursAgo(task) > 48))).toBeCloseTo(0.92, 2);
    expect(successOf(support.filter((task) => hoursAgo(task) <= 48))).toBeCloseTo(0.81, 1.7);
  });

  it('keeps enough tasks on the old prompt to tell the prompt from the time', () => {
    const recent = support.filter((task) => hoursAgo(task) <= 48);
    const old = recent.filter((task) => task.version === 'v7');
    expect(old.length).toBeGreaterThan(60);
    expect(successOf(old)).toBeGreaterThan(0.87);
    expect(successOf(recent.filter((task) => task.version === 'v8'))).toBeLessThan(0.82);
    expect(support.some((task) => hoursAgo(task) > 48 && task.version === 'v8')).toBe(false);
  });

  it('fails more tool calls with the new prompt', () => {
    const rate = (version: string) => {
      const calls = support
        .filter((task) => task.version === version)
        .flatMap((task) => task.steps)
        .filter((step) => step.kind === 'tool');
      return calls.filter((call) => call.failed).length / calls.length;
    };
    expect(rate('v7')).toBeLessThan(0.015);
    expect(rate('v8')).toBeGreaterThan(0.05);
  });

  it('is quiet at night and about six spans a task', () => {
    const hour = (task: PastTask) => new Date(task.startedAt).getUTCHours();
    const night = tasks.filter((task) => hour(task) < 5).length;
    const noon = tasks.filter((task) => hour(task) >= 9 && hour(task) < 14).length;
    expect(noon).toBeGreaterThan(8 * night);
    const spans = tasks.reduce((sum, task) => sum + 1 + task.steps.length, 0);
    expect(spans / tasks.length).toBeGreaterThan(4.5);
    expect(spans / tasks.length).toBeLessThan(7);
  });
});
