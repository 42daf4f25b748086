import { z } from 'zod';
import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';

/** A finding as the task's record gives it. `covered_by`: a stronger finding on the same call says it too. */
export const storedFinding = z.object({
  finding: z.string(),
  severity: z.enum(['info', 'warn', 'error']),
  decision: z.string().nullable(),
  tool: z.string().nullable(),
  text: z.string(),
  spans: z.array(z.string()),
  rule_version: z.int(),
  /** The UTC day whose earlier days were learnt from; null when nothing learnt took part. */
  baseline: z.string().nullable(),
  covered_by: z.string().nullable(),
});

export type StoredFinding = z.infer<typeof storedFinding>;

type Tuple = readonly [
  finding: string,
  severity: StoredFinding['severity'],
  decision: string,
  tool: string,
  text: string,
  spans: readonly string[],
  version: number,
  baseline: string,
  covered: string,
];

/** Stored findings by task id; a task that was not judged yet is missing. `days`: first and last day of the tasks. */
export async function readFindings(
  store: Store,
  project: string,
  tasks: readonly string[],
  days: { readonly first: Date; readonly last: Date },
): Promise<Map<string, StoredFinding[]>> {
  if (tasks.length === 0) return new Map();
  const rows = await query<{ task_id: string; found: Tuple[] }>(
    store,
    sql`SELECT task_id, arrayZip(findings.finding, findings.severity, findings.decision, findings.tool, findings.text,
        findings.spans, findings.version, findings.baseline, findings.covered_by) AS found
      FROM task_findings
      WHERE project = ${param('String', project)}
        AND day BETWEEN ${param('Date', days.first)} AND ${param('Date', days.last)}
        AND task_id IN ${param('Array(String)', tasks)}
      ORDER BY ver DESC
      LIMIT 1 BY task_id`,
  );
  return new Map(rows.map(({ task_id, found }) => [task_id, found.map(toFinding)]));
}

function toFinding(tuple: Tuple): StoredFinding {
  const [finding, severity, decision, tool, text, spans, version, baseline, covered] = tuple;
  return {
    finding,
    severity,
    decision: decision || null,
    tool: tool || null,
    text,
    spans: [...spans],
    rule_version: version,
    baseline: baseline || null,
    covered_by: covered || null,
  };
}
