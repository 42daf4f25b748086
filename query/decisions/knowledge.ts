import type { ContentKind, Edge } from './answer.ts';
import type { DecisionSpan } from './evidence.ts';
import type { Approval, Call, Content, Step } from './model.ts';
import { markDenied, slack } from './results.ts';
import type { SpanTree } from './span-tree.ts';

const kinds: Readonly<Record<string, ContentKind>> = {
  retriever: 'document',
  reranker: 'document',
  memory: 'memory',
};

/**
 * What retrievers and memories returned before each decision: for the first decision of the same agent's run that begins
 * after their end. One that ran inside a tool told the tool, whose result is known as such.
 */
export function knowledgeBefore(
  steps: readonly Step[],
  tree: SpanTree,
  content: ReadonlyMap<string, string>,
): Map<Step, Content[]> {
  const known = new Map<Step, Content[]>();
  const open = new Map<string, { readonly spans: DecisionSpan[]; told: number }>();
  const ended = tree.sorted
    .filter((span) => kinds[span.kind] !== undefined && tree.place(span).tool === null)
    .sort((a, b) => (a.end < b.end ? -1 : Number(a.end > b.end)));
  for (const span of ended) {
    const { scope } = tree.place(span);
    const own = open.get(scope);
    if (own === undefined) open.set(scope, { spans: [span], told: 0 });
    else own.spans.push(span);
  }
  if (open.size === 0) return known;
  for (const step of steps) {
    const own = open.get(step.scope);
    if (own === undefined) continue;
    const from = own.told;
    while ((own.spans[own.told]?.end ?? step.start + slack + 1n) <= step.start + slack) own.told++;
    const told = own.spans.slice(from, own.told);
    if (told.length > 0)
      known.set(
        step,
        told.map((span) => contentOf(span, content)),
      );
  }
  return known;
}

function contentOf(span: DecisionSpan, content: ReadonlyMap<string, string>): Content {
  return {
    id: `${span.span_id}.m0`,
    kind: kinds[span.kind] ?? 'other',
    text: outputText(span, content),
    own: false,
    call: null,
  };
}

/** What a span put out beside messages; null when that is not known. */
export function outputText(
  { outputs }: DecisionSpan,
  content: ReadonlyMap<string, string>,
): string | null {
  const texts = outputs.map((hashes) => joined(hashes, content));
  const known = texts.filter((text) => text !== null);
  return known.length === 0 || known.length < texts.length ? null : known.join('\n');
}

/** A stored value is one piece, or `0` and the elements of a JSON array. */
function joined(hashes: readonly string[], content: ReadonlyMap<string, string>): string | null {
  const [first, ...elements] = hashes;
  if (first === undefined) return null;
  if (first !== '0') return content.get(first) ?? null;
  const texts = elements.map((hash) => content.get(hash));
  return texts.every((text) => text !== undefined) ? `[${texts.join(',')}]` : null;
}

/** Tells the decisions after an approval, and the first decision after a handoff, what they followed from. */
export function tellSignals(
  steps: readonly Step[],
  calls: readonly Call[],
  approvals: readonly Approval[],
  edges: readonly Edge[],
): void {
  const byCall = new Map(calls.map((call) => [call.id, call]));
  const byId = new Map(steps.map((step) => [step.id, step]));
  const byApproval = new Map(approvals.map((approval) => [approval.step, approval]));
  for (const { type, from, to } of edges) {
    if (type === 'handed_off') tellHandoff(byCall.get(from), byId.get(to));
    const call = byCall.get(to);
    if (type === 'denied' && call !== undefined) markDenied(call);
    if (type === 'approved' || type === 'denied')
      tellApproval(byApproval.get(from), call?.step ?? null);
  }
}

function tellHandoff(call: Call | undefined, target: Step | undefined): void {
  if (call === undefined || target === undefined || target.informed === null) return;
  const text = call.argsText ?? call.step?.why?.find(({ kind }) => kind === 'declared')?.text;
  tell(target, { id: call.id, kind: 'handoff', text: text ?? null, own: false, call: null });
}

function tellApproval(approval: Approval | undefined, asked: Step | null): void {
  if (approval === undefined || asked === null) return;
  const { step: id, status, action } = approval;
  const text = action === '' ? status : `${action} ${status}`;
  for (const next of asked.next)
    if (next.kind === 'inference' && next.informed !== null && next.start >= approval.at)
      tell(next, { id, kind: 'approval', text, own: false, call: null });
}

function tell(step: Step, content: Content): void {
  if (step.informed?.some(({ id, kind }) => id === content.id && kind === content.kind)) return;
  step.informed = [...(step.informed ?? []), content];
}
