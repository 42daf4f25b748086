import { expect, it } from 'vitest';
import { exposition } from './metrics.ts';

it('writes the exposition format, escaping label values and leaving out the unknown', () => {
  const text = exposition([
    {
      name: 'plumbline_received_total',
      help: 'Requests.\nSecond line.',
      type: 'counter',
      samples: [{ labels: { reason: 'a "b"\\\nc' }, value: 3 }, { value: null }],
    },
  ]);
  expect(text).toBe(
    '# HELP plumbline_received_total Requests.\\nSecond line.\n' +
      '# TYPE plumbline_received_total counter\n' +
      'plumbline_received_total{reason="a \\"b\\"\\\\\\nc"} 3\n',
  );
});
