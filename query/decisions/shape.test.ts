import { expect, it } from 'vitest';
import { says, scenario, user } from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from './derive.ts';
import { toAnswer } from './shape.ts';

it('sums and units show no noise of binary fractions', () => {
  const s = scenario();
  const { trace_id, span_id } = s.model({
    input: [user('go')],
    output: says('done'),
    ttft_ms: 86.68919900000037,
  });
  const costs = new Map([[`${trace_id} ${span_id}`, 0.1 + 0.2]]);
  const page = { content: 'none', limit: 1, after: 0, cursorOf: String } as const;
  const { decisions } = toAnswer(deriveTrajectory({ ...s.evidence(), costs }), [], [], page);
  expect(decisions[0]).toMatchObject({ cost_usd: 0.3, ttft_ms: 86.689199 });
});
