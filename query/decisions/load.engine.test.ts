import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { logRow, ms, spanRow } from '../../store/derive/fixtures.ts';
import { putRows } from '../../store/derive/fixtures-store.ts';
import { insert } from '../../store/insert.ts';
import { messages } from '../../store/tables/messages.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { loadTasks } from '../findings/load.ts';

describe('messages in log records', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store.close());

  it('join the span that has none, in the order they were told', async () => {
    const chat = { kind: 'llm', trace_id: 't1', input_tokens: 1n, output_tokens: 1n };
    const told = (span_id: string, at: number, hash: bigint, content: object) =>
      logRow({ event_name: 'told', trace_id: 't1', span_id, time: ms(at), hash, ...content });
    const touched = await putRows(
      store,
      'p',
      [
        spanRow({ span_id: 'silent', start: ms(0), end: ms(10), ...chat }),
        spanRow({
          span_id: 'finds',
          trace_id: 't1',
          kind: 'retriever',
          start: ms(12),
          end: ms(14),
          payload: [
            ['gen_ai.retrieval.query.text', [8n]],
            ['gen_ai.retrieval.documents', [0n, 6n, 7n]],
            ['retrieval.documents.0.document.content', [6n]],
            ['retrieval.documents.0.document.id', [7n]],
          ],
        }),
        spanRow({ span_id: 'speaks', start: ms(20), end: ms(30), input_messages: [9n], ...chat }),
      ],
      [
        told('silent', 5, 1n, { input_messages: [2n] }),
        told('silent', 4, 2n, { input_messages: [1n], system_instructions: [5n] }),
        told('silent', 6, 3n, { output_messages: [3n] }),
        told('speaks', 21, 4n, { input_messages: [4n] }),
        told('silent', 7, 5n, {}),
      ],
    );
    const day = Number(ms(0) / 86_400_000_000_000n);
    const content = (hash: bigint) => ({
      project: 'p',
      day,
      trace_id: 't1',
      hash,
      content: `{${hash}}`,
    });
    await insert(store, messages, [1n, 2n, 3n, 5n, 9n].map(content));
    await createDeriver(store).derive([touched]);

    const [task] = await loadTasks(store, 'p', [{ day, task_id: 't1' }], new Date());
    const evidence = task?.evidence;
    const of = (id: string) => evidence?.spans.find(({ span_id }) => span_id === id);
    expect(of('silent')).toMatchObject({
      input_messages: ['1', '2'],
      output_messages: ['3'],
      system_instructions: ['5'],
    });
    expect(of('finds')?.outputs).toEqual([['0', '6', '7'], ['6']]);
    expect(of('speaks')).toMatchObject({ input_messages: ['9'], output_messages: [] });
    expect(evidence?.content.get('2')).toBe('{2}');
  });
});
