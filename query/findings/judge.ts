import type { TaskFindingsRow } from '../../store/tables/task-findings.ts';
import type { FindingAnswer } from '../decisions/answer.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import type { TaskEvidence } from '../decisions/evidence.ts';
import type { Trajectory } from '../decisions/model.ts';
import type { Background } from './background.ts';
import { findDefects } from './find.ts';
import { measure } from './measures.ts';
import { rules } from './rules.ts';
import type { FindingsSettings } from './settings.ts';

/** What the row says beside what the task itself does. */
export interface RowIdentity {
  readonly project: string;
  readonly day: number;
  readonly ver: bigint;
  readonly task_ver: bigint;
  readonly rules: number;
}

/** What a task did, what is wrong with it, and what it was compared with. */
export interface Judged {
  readonly trajectory: Trajectory;
  readonly findings: readonly FindingAnswer[];
  readonly background: Background;
}

/** Pure: the same evidence, background and settings give the same. */
export function judgeTask(
  evidence: TaskEvidence,
  background: Background,
  settings: FindingsSettings,
): Judged {
  const trajectory = deriveTrajectory(evidence);
  return { trajectory, findings: findDefects(trajectory, settings.rules, background), background };
}

/** The row of one task. */
export function findingsRow(
  { trajectory, findings, background }: Judged,
  identity: RowIdentity,
): TaskFindingsRow {
  const tools = toolsOf(trajectory);
  const tool = ({ call }: FindingAnswer) => tools.get(call ?? '') ?? '';
  const own = (finding: FindingAnswer, name: string) => {
    const value = finding.detail?.[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    ...identity,
    task_id: trajectory.task.task_id,
    ended: trajectory.ended ? 1 : 0,
    signature: signatureOf(findings, tool),
    'findings.finding': findings.map(({ finding }) => finding),
    'findings.severity': findings.map(({ severity }) => severity),
    'findings.version': findings.map(({ finding }) => versions.get(finding) ?? 0),
    'findings.decision': findings.map(({ decision }) => decision ?? ''),
    'findings.tool': findings.map(tool),
    'findings.text': findings.map(({ text }) => text.slice(0, 1000)),
    'findings.spans': findings.map(({ spans }) => spans),
    'findings.baseline': findings.map((finding) => own(finding, 'baseline')),
    'findings.covered_by': findings.map((finding) => own(finding, 'covered_by')),
    ...measure(trajectory, findings, background),
  };
}

const versions = new Map(rules.map(({ id, version }) => [id, version]));

function toolsOf({ calls }: Trajectory): Map<string, string> {
  return new Map(calls.map(({ id, tool, handoffTo }) => [id, tool || (handoffTo ?? '')]));
}

/**
 * The kinds of findings with their tools, sorted, without those that a stronger one covers and those that are only
 * worth knowing: `loop(find) + tool_error(pay)`. Empty when nothing is wrong.
 */
export function signatureOf(
  findings: readonly FindingAnswer[],
  tool: (finding: FindingAnswer) => string,
): string {
  const kinds = findings
    .filter(({ severity, detail }) => severity !== 'info' && detail?.['covered_by'] === undefined)
    .map((finding) =>
      tool(finding) === '' ? finding.finding : `${finding.finding}(${tool(finding)})`,
    );
  return [...new Set(kinds)].toSorted().slice(0, 8).join(' + ');
}
