// Reads what a store holds and tells the parent, in a process of its own: the engine serves one directory per process.
import { tasksIn } from '../../query/tasks/find.ts';
import { openStore } from '../../store/connection.ts';
import { query, sql } from '../../store/sql.ts';
import type { Facts } from './checks.ts';

const [kind = '', target = ''] = process.argv.slice(2);
const store = await openStore(kind === 'path' ? { path: target } : { url: target });
const scope = {
  project: 'default',
  from: new Date('2000-01-01'),
  to: new Date('2100-01-01'),
  now: new Date(),
  prices: 'as_of_call',
};
const tasks = await query<Facts['tasks'][number]>(
  store,
  sql`
SELECT
  task_id, toString(day) AS day, toString(state) AS state, spans, llm_calls, tool_calls,
  toUInt32(ifNull(input_tokens, 0)) AS input_tokens, toUInt32(ifNull(output_tokens, 0)) AS output_tokens,
  toUInt32(ifNull(cache_read_tokens, 0)) AS cache_read_tokens, toUInt32(length(trace_ids)) AS traces,
  cost_usd, length(unpriced_models) AS unpriced
FROM ${tasksIn(scope)}`,
);
const spans = await query<Facts['spans'][number]>(
  store,
  sql`
SELECT trace_id AS trace, span_id AS span, toUInt32(count()) AS copies, toUInt8(max(end) > min(start)) AS complete
FROM spans_v WHERE project = 'default' GROUP BY trace, span`,
);
const logs = await query<Facts['logs'][number]>(
  store,
  sql`
SELECT task_id AS task, attributes['agent.task.state'] AS state, toUInt32(count()) AS copies
FROM logs_v WHERE project = 'default' GROUP BY task, state`,
);
const points = await query<Facts['points'][number]>(
  store,
  sql`
SELECT attributes['fault.point'] AS point, toUInt32(count()) AS copies, sum(value) AS value
FROM metrics_number_v WHERE project = 'default' GROUP BY point`,
);
await store.close();
process.send?.({ tasks, spans, logs, points } satisfies Facts, () => process.exit(0));
