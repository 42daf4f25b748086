import type { Edge } from './answer.ts';
import type { Approval, Call, Step } from './model.ts';
import type { SpanTree } from './span-tree.ts';

/** What connects calls and decisions: retries, lineage, handoffs, delegation, approvals; by call in order of time. */
export function edgesOf(
  steps: readonly Step[],
  calls: readonly Call[],
  approvals: readonly Approval[],
  tree: SpanTree,
): Edge[] {
  const approved = new Map<string, Edge[]>();
  for (const edge of approvalEdges(approvals, calls))
    approved.set(edge.to, [...(approved.get(edge.to) ?? []), edge]);
  const failed = new Map<string, Call>();
  const calling = calls.flatMap((call) => {
    if (call.step === null) return [];
    const edges = [...retryEdge(call, failed), ...lineageEdges(call)];
    return [...edges, ...(approved.get(call.id) ?? [])];
  });
  return [...calling, ...handoffEdges(steps), ...delegationEdges(steps, calls, tree)];
}

/** The next call of a tool by the same agent after an error is a retry, whatever it changed. */
function retryEdge(call: Call, failed: Map<string, Call>): Edge[] {
  if (failed.size === 0 && !isFailure(call)) return [];
  const key = `${call.step?.scope} ${call.tool}`;
  const before = failed.get(key);
  if (isFailure(call)) failed.set(key, call);
  else failed.delete(key);
  return before === undefined ? [] : [{ type: 'retried', from: before.id, to: call.id }];
}

/** The result is an error of any kind. */
export function isFailure({ result: { status } }: Call): boolean {
  return status === 'error' || status === 'timeout';
}

function lineageEdges(call: Call): Edge[] {
  if (call.sources === null || call.sources.length === 0) return [];
  return call.sources
    .map(({ from }) => from)
    .filter((from) => /\.c\d+$/.test(from))
    .toSorted()
    .map((from) => ({ type: 'informed_by', from, to: call.id }));
}

function handoffEdges(steps: readonly Step[]): Edge[] {
  const byAgent = new Map<string, Step[]>();
  for (const step of steps) {
    if (step.kind !== 'inference' || step.agent === null) continue;
    const list = byAgent.get(step.agent);
    if (list === undefined) byAgent.set(step.agent, [step]);
    else list.push(step);
  }
  return steps.flatMap((step) =>
    (step.chosen?.calls ?? []).flatMap((call): Edge[] => {
      if (call.handoffTo === null) return [];
      const target = firstFrom(byAgent.get(call.handoffTo) ?? [], step.end);
      if (target === undefined) return [];
      follow(step, target);
      return [{ type: 'handed_off', from: call.id, to: target.id }];
    }),
  );
}

/** The first of `steps`, which are in order of time, that starts at or after `time`. */
function firstFrom(steps: readonly Step[], time: bigint): Step | undefined {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle]?.start ?? 0n) < time) low = middle + 1;
    else high = middle;
  }
  return steps[low];
}

/** A run of another agent inside a call's tool span was delegated by that call. */
function delegationEdges(steps: readonly Step[], calls: readonly Call[], tree: SpanTree): Edge[] {
  const bySpan = new Map(calls.map((call) => [call.result.span, call]));
  return steps.flatMap((step): Edge[] => {
    if (step.span === null || step.prev !== null) return [];
    const { tool } = tree.place(step.span);
    const call = tool === null ? undefined : bySpan.get(tool);
    if (call === undefined || call.step === null) return [];
    follow(call.step, step);
    return [{ type: 'delegated', from: call.id, to: step.id }];
  });
}

function follow(step: Step, target: Step) {
  if (!step.next.includes(target)) step.next.push(target);
}

function approvalEdges(approvals: readonly Approval[], calls: readonly Call[]): Edge[] {
  if (approvals.length === 0) return [];
  const byId = listsBy(calls, ({ call_id }) => call_id);
  const byTool = listsBy(calls, ({ tool }) => tool);
  return approvals.flatMap((approval): Edge[] => {
    if (approval.status === 'requested') return [];
    const { call_id, action } = approval;
    const own = (call_id === '' ? byTool.get(action) : byId.get(call_id)) ?? [];
    // Ids and tools come again: the last call made before it was decided, else the first one after.
    const call = own.findLast(({ step }) => (step?.end ?? 0n) <= approval.at) ?? own[0];
    if (call === undefined) return [];
    const type = approval.status === 'approved' ? 'approved' : 'denied';
    return [{ type, from: approval.step, to: call.id }];
  });
}

function listsBy(calls: readonly Call[], keyOf: (call: Call) => string): Map<string, Call[]> {
  const lists = new Map<string, Call[]>();
  for (const call of calls) {
    const list = lists.get(keyOf(call));
    if (list === undefined) lists.set(keyOf(call), [call]);
    else list.push(call);
  }
  return lists;
}

/** Whether an approval is about this call: by call id, else by the name of the action. */
export function concerns(approval: Approval, call: Call): boolean {
  if (approval.call_id !== '') return approval.call_id === call.call_id;
  return approval.action === call.tool;
}
