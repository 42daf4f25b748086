import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backends } from '../test/clickhouse/backends.ts';
import { nanos, spanRow } from '../test/clickhouse/rows.ts';
import type { Store } from './connection.ts';
import { insert } from './insert.ts';
import { param, query, sql } from './sql.ts';
import { spans } from './tables/spans.ts';
import { traceBounds } from './tables/trace-bounds.ts';

const TRACE = 'a'.repeat(32);
const START = nanos('2026-03-02T10:00:00Z');

for (const backend of backends) {
  describe(`the views for Grafana on ${backend.name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await backend.open();
      const span = spanRow({
        trace_id: TRACE,
        span_id: 'b'.repeat(16),
        parent_id: 'c'.repeat(16),
        start: START,
        end: START + 1_500_000_000n,
        name: 'chat gpt-4o',
        span_kind: 'client',
        status: 'error',
        service: 'support',
        attributes: [['gen_ai.request.model', 'gpt-4o']],
        'events.time': [START + 1n],
        'events.name': ['exception'],
        'events.attributes': [[['exception.type', 'Error']]],
      });
      const earlier = { ...span, name: 'an earlier version', ver: 0n };
      const backwards = spanRow({
        trace_id: TRACE,
        span_id: 'd'.repeat(16),
        start: START + 9n,
        end: START,
      });
      await insert(store, spans, [span, backwards]);
      await insert(store, spans, [earlier]);
      const bounds = { project: 'p', trace_id: TRACE };
      await insert(store, traceBounds, [{ ...bounds, first: START + 9n, last: START + 9n }]);
      await insert(store, traceBounds, [{ ...bounds, first: START, last: START }]);
    });
    afterAll(() => store?.close());

    it('have the names, types and values of the Collector’s exporter', async () => {
      const rows = await query<Record<string, unknown>>(
        store,
        sql`SELECT * FROM otel_traces ORDER BY Timestamp`,
      );
      expect(rows).toHaveLength(2);
      expect(rows[0]).toEqual({
        Timestamp: '2026-03-02 10:00:00.000000000',
        TraceId: TRACE,
        SpanId: 'b'.repeat(16),
        ParentSpanId: 'c'.repeat(16),
        TraceState: '',
        SpanName: 'chat gpt-4o',
        SpanKind: 'Client',
        ServiceName: 'support',
        ResourceAttributes: {},
        ScopeName: '',
        ScopeVersion: '',
        SpanAttributes: { 'gen_ai.request.model': 'gpt-4o' },
        Duration: '1500000000',
        StatusCode: 'Error',
        StatusMessage: '',
        'Events.Timestamp': ['2026-03-02 10:00:00.000000001'],
        'Events.Name': ['exception'],
        'Events.Attributes': [{ 'exception.type': 'Error' }],
        'Links.TraceId': [],
        'Links.SpanId': [],
        'Links.TraceState': [],
        'Links.Attributes': [],
        Project: 'p',
      });
      // A span that ends before it starts lasts no time, not 584 years.
      expect(rows[1]?.['Duration']).toBe('0');
    });

    it('answer the query that the plugin’s trace panel sends', async () => {
      const rows = await query(
        store,
        sql`WITH ${param('String', TRACE)} AS trace_id,
          (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_start,
          (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = trace_id) AS trace_end
        SELECT TraceId AS traceID, SpanName AS operationName,
          multiply(toUnixTimestamp64Nano(Timestamp), 0.000001) AS startTime,
          multiply(Duration, 0.000001) AS duration,
          arrayMap(key -> map('key', key, 'value', SpanAttributes[key]), mapKeys(SpanAttributes)) AS tags,
          if(StatusCode IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) AS statusCode
        FROM otel_traces
        WHERE traceID = trace_id AND Timestamp >= trace_start AND Timestamp <= trace_end
        ORDER BY Timestamp LIMIT 1000`,
      );
      expect(rows).toHaveLength(2);
      expect(rows[0]).toEqual({
        traceID: TRACE,
        operationName: 'chat gpt-4o',
        startTime: 1_772_445_600_000,
        duration: 1500,
        tags: [{ key: 'gen_ai.request.model', value: 'gpt-4o' }],
        statusCode: 2,
      });
      const described = await query<{ name: string }>(
        store,
        sql`DESCRIBE TABLE otel_traces_trace_id_ts`,
      );
      expect(described.map((column) => column.name)).toEqual([
        'TraceId',
        'Start',
        'End',
        'Project',
      ]);
    });
  });
}
