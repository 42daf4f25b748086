import { parse } from 'yaml';
import { z } from 'zod';
import type { WorkflowSettings } from '../../store/workflows.ts';

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const longest = 31 * 86_400;

/** A span of time such as `30m`, in seconds. */
const period = z
  .string()
  .regex(/^\d{1,7}[smhd]$/, { error: 'a time such as 30m, 1h or 7d' })
  .transform((text) => Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? 0))
  .refine((seconds) => seconds > 0 && seconds <= longest, { error: 'a time up to 31d' });

const workflow = z.strictObject({
  /** Its name, `*` for every workflow that is not listed. */
  workflow: z.string().min(1).max(1024),
  boundary: z
    .string()
    .regex(/^(trace|conversation|span:.{1,500})$/, {
      error: 'trace, conversation or span:<name or kind>',
    })
    .default('trace'),
  /** After so long without a signal a conversation's next trace begins a new task. */
  idle: period.default(1800),
  success_when: z.literal('done').optional(),
  abandoned_after: z
    .strictObject({
      running: period.optional(),
      queued: period.optional(),
      waiting: period.optional(),
    })
    .prefault({}),
});

/** A file of workflow settings that cannot be used: one line per problem. */
export class BadWorkflows extends Error {
  override readonly name = 'BadWorkflows';
}

/** The settings of a YAML or JSON file `{workflows: [{workflow, boundary?, idle?, success_when?, abandoned_after?}]}`. */
export function parseWorkflows(text: string): WorkflowSettings[] {
  let data: unknown;
  try {
    data = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new BadWorkflows(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const file = z.strictObject({ workflows: z.array(workflow).max(10_000) });
  const parsed = file.safeParse(data);
  if (!parsed.success) throw new BadWorkflows(z.prettifyError(parsed.error));
  const seen = new Set<string>();
  return parsed.data.workflows.map((one) => {
    if (seen.has(one.workflow)) throw new BadWorkflows(`workflows: ${one.workflow} is there twice`);
    seen.add(one.workflow);
    return {
      workflow: one.workflow,
      boundary: one.boundary,
      idle_s: one.idle,
      success_when: one.success_when ?? '',
      abandoned_running_s: one.abandoned_after.running ?? 0,
      abandoned_queued_s: one.abandoned_after.queued ?? 0,
      abandoned_waiting_s: one.abandoned_after.waiting ?? 0,
    };
  });
}
