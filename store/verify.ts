import type { ClickHouseClient } from '@clickhouse/client';
import { evaluations } from './tables/evaluations.ts';
import { logs } from './tables/logs.ts';
import { messages } from './tables/messages.ts';
import { metricsHistogram } from './tables/metrics-histogram.ts';
import { metricsNumber } from './tables/metrics-number.ts';
import { outcomes } from './tables/outcomes.ts';
import { prices } from './tables/prices.ts';
import { profiles } from './tables/profiles.ts';
import { rates } from './tables/rates.ts';
import { spans } from './tables/spans.ts';
import { taskDays } from './tables/task-days.ts';
import { taskFindings } from './tables/task-findings.ts';
import { taskTraces } from './tables/task-traces.ts';
import { tasks } from './tables/tasks.ts';
import { traceBounds } from './tables/trace-bounds.ts';
import { workflowSettings } from './tables/workflow-settings.ts';

/** Every table that rows are written to. */
export const tables = [
  evaluations,
  logs,
  messages,
  metricsHistogram,
  metricsNumber,
  outcomes,
  prices,
  profiles,
  rates,
  spans,
  taskDays,
  taskFindings,
  taskTraces,
  tasks,
  traceBounds,
  workflowSettings,
] as const;

/**
 * Compares every table's columns with the database: Native inserts drop a misspelt column without an error,
 * so it is looked for here, at start.
 *
 * @throws Error that names each column that is missing or has another type.
 */
export async function verifyTables(client: ClickHouseClient): Promise<void> {
  const result = await client.query({
    query: 'SELECT table, name, type FROM system.columns WHERE database = currentDatabase()',
    format: 'JSONEachRow',
  });
  const types = new Map<string, string>();
  for (const row of await result.json<{ table: string; name: string; type: string }>()) {
    types.set(`${row.table}.${row.name}`, row.type);
  }
  const wrong = tables.flatMap((table) =>
    Object.entries<string>({ ...table.columns })
      .filter(([name, type]) => types.get(`${table.name}.${name}`) !== type)
      .map(([name, type]) => {
        const found = types.get(`${table.name}.${name}`) ?? 'nothing';
        return `${table.name}.${name}: expected ${type}, found ${found}`;
      }),
  );
  if (wrong.length > 0) throw new Error(`the database does not fit:\n${wrong.join('\n')}`);
}
