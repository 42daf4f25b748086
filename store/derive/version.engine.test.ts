import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usualBackends } from '../../test/clickhouse/backends.ts';
import type { Store } from '../connection.ts';
import { query, sql } from '../sql.ts';
import { createDeriver } from './deriver.ts';
import { spanRow } from './fixtures.ts';
import { pausing, putRows, withClockOff } from './fixtures-store.ts';
import { takeVersion } from './version.ts';

const root = spanRow({ span_id: 'root', task_id: 'A', task_id_kind: 'declared' });
const chat = spanRow({ span_id: 'chat', parent_id: 'root', kind: 'llm', input_tokens: 10n });

for (const backend of usualBackends) {
  describe(`versions on ${backend.name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await backend.open();
    });
    afterAll(() => store?.close());

    const found = () =>
      query(store, sql`SELECT project, task_id, input_tokens FROM tasks FINAL ORDER BY project`);

    it('are times, and rise although the clock steps back', async () => {
      const first = await takeVersion(store);
      expect(Math.abs(Number(first) / 1000 - Date.now())).toBeLessThan(60_000);
      const back = withClockOff(store, -10);
      const second = await takeVersion(back);
      expect(second).toBe(first + 1n);
      const ahead = await takeVersion(withClockOff(store, 3600));
      expect(Number(ahead - second) / 1e6).toBeGreaterThan(3000);
      expect(await takeVersion(store)).toBe(ahead + 1n);
    });

    it('rise between any two that follow each other, however many are taken at once', async () => {
      let highest = await takeVersion(store);
      for (let round = 0; round < 5; round++) {
        const taken = await Promise.all(Array.from({ length: 6 }, () => takeVersion(store)));
        for (const ver of taken) expect(ver).toBeGreaterThan(highest);
        highest = taken.reduce((max, ver) => (ver > max ? ver : max));
      }
    });

    it('let the last derivation win over one that was paused before the clock stepped back', async () => {
      const { slow, paused, resume } = pausing(store);
      const late = createDeriver(slow).derive([await putRows(store, 'paused', [chat])]);
      await paused;
      const back = withClockOff(store, -10);
      await createDeriver(back).derive([await putRows(store, 'paused', [root])]);
      resume();
      await late;
      expect(await found()).toEqual([{ project: 'paused', task_id: 'A', input_tokens: '10' }]);
    });
  });
}
