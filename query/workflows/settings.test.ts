import { describe, expect, it } from 'vitest';
import { BadWorkflows, parseWorkflows } from './settings.ts';

describe('parseWorkflows', () => {
  it('reads boundaries and times', () => {
    const [support, rest] = parseWorkflows(`
workflows:
  - workflow: support
    boundary: conversation
    success_when: done
    abandoned_after: { running: 2h, waiting: 3d }
  - workflow: '*'
    boundary: span:classify_item`);
    expect(support).toEqual({
      workflow: 'support',
      boundary: 'conversation',
      idle_s: 1800,
      success_when: 'done',
      abandoned_running_s: 7200,
      abandoned_queued_s: 0,
      abandoned_waiting_s: 259_200,
    });
    expect(rest).toMatchObject({ workflow: '*', boundary: 'span:classify_item' });
  });

  it.each([
    ['workflows: [', /./],
    ['workflows: [{ workflow: a, boundary: turn }]', /trace, conversation or span/],
    ['workflows: [{ workflow: a, idle: 5 }]', /idle/],
    ['workflows: [{ workflow: a, idle: 400d }]', /31d/],
    ['workflows: [{ workflow: a, success_when: failed }]', /success_when/],
    ['workflows: [{ workflow: a }, { workflow: a }]', /a is there twice/],
    ['{}', /workflows/],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseWorkflows(text)).toThrow(BadWorkflows);
    expect(() => parseWorkflows(text)).toThrow(message);
  });
});
