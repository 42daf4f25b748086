import { describe, expect, it } from 'vitest';
import { builtinObjectives } from './objectives.ts';
import { BadObjectives, mergeObjectives, parseOpenSlo } from './openslo.ts';

const document = (spec: string, name = 'task_success_rate', annotations = '') => `
apiVersion: openslo/v1
kind: SLO
metadata: {name: ${name}${annotations}}
spec: ${spec}
`;

describe('OpenSLO', () => {
  it('sets target, limit, window and workflow of a built-in indicator', () => {
    const text = document(
      '{indicatorRef: p95_time_to_completion, timeWindow: [{duration: 7d, isRolling: true}], objectives: [{target: 0.9, value: 45}]}',
      'answers-in-time',
      ', annotations: {plumbline.dev/workflow: rag}',
    );
    expect(parseOpenSlo(text)).toMatchObject([
      {
        name: 'answers-in-time',
        indicator: 'p95_time_to_completion',
        target: 0.9,
        thresholdMs: 45_000,
        windowDays: 7,
        workflow: 'rag',
      },
    ]);
  });

  it('reads a value as dollars for the cost', () => {
    const text = document(
      '{indicatorRef: cost_per_successful_task, objectives: [{value: 0.2}]}',
      'cost',
    );
    expect(parseOpenSlo(text)).toMatchObject([{ kind: 'quota', targetUsd: 0.2 }]);
  });

  it('replaces a built-in objective of the same name', () => {
    const own = parseOpenSlo(
      document('{indicatorRef: task_success_rate, objectives: [{target: 0.8}]}'),
    );
    const merged = mergeObjectives(own);
    expect(merged).toHaveLength(builtinObjectives.length);
    expect(merged.filter(({ name }) => name === 'task_success_rate')).toMatchObject([
      { target: 0.8 },
    ]);
  });

  it('passes over documents of other kinds', () => {
    const text = `apiVersion: openslo/v1\nkind: Service\nmetadata: {name: s}\n---${document(
      '{indicatorRef: task_success_rate, objectives: [{target: 0.8}]}',
    )}`;
    expect(parseOpenSlo(text)).toHaveLength(1);
  });

  it.each([
    [
      'an unknown indicator',
      document('{indicatorRef: joy, objectives: [{target: 0.9}]}'),
      'indicatorRef: one of',
    ],
    [
      'a target of 1',
      document('{indicatorRef: task_success_rate, objectives: [{target: 1}]}'),
      'above 0 and below 1',
    ],
    ['broken YAML', 'a: [', 'document 1'],
    [
      'a calendar window',
      document(
        '{indicatorRef: task_success_rate, timeWindow: [{duration: 1M, isRolling: false}], objectives: [{target: 0.9}]}',
      ),
      'timeWindow',
    ],
  ])('refuses %s and says where', (_, text, message) => {
    expect(() => parseOpenSlo(text)).toThrow(BadObjectives);
    expect(() => parseOpenSlo(text)).toThrow(message);
  });
});
