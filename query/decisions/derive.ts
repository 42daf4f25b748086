import type { ToolsetAnswer } from './answer.ts';
import { chainCalls, type Link, type Seen } from './chain.ts';
import { chosenOf, finishOf, pickChoice, statedReasons, textOf, unknownChoice } from './choose.ts';
import { indexContent } from './content-index.ts';
import { declaredSteps } from './declared.ts';
import { edgesOf } from './edges.ts';
import { type DecisionSpan, spanKey, type TaskEvidence } from './evidence.ts';
import { indexCalls, informedBy, turnOf } from './informed.ts';
import { isRecord } from './json.ts';
import { violations } from './json-schema.ts';
import { knowledgeBefore, tellSignals } from './knowledge.ts';
import { traceArguments } from './lineage.ts';
import { type Message, type Messages, readMessages } from './message.ts';
import type { Call, Step, Toolset, Trajectory } from './model.ts';
import { modelCalls } from './model-calls.ts';
import { applyMessage, linkResults, readResultMessages, toolSpans } from './results.ts';
import { growTree, type SpanTree } from './span-tree.ts';
import { handoffTarget, isThinkTool, readToolsets } from './tools.ts';
import { callOfSpan, inferCalls } from './unlinked.ts';
import { visibility } from './visibility.ts';

/**
 * The decisions of a task (BEHAVIOUR §2) from its spans, logs and payload: one per logical model call, plus declared
 * ones. Pure and deterministic; the order of the input does not matter.
 */
export function deriveTrajectory(evidence: TaskEvidence): Trajectory {
  const tree = growTree(evidence.spans);
  const toolsets = readToolsets(evidence.content);
  const steps = inferenceSteps(evidence, tree, toolsets.toolsetOf);
  const ended = ['done', 'failed', 'cancelled', 'abandoned'].includes(evidence.task.state);
  const loose = linkResults(steps, toolSpans(tree, evidence.calls), evidence.content);
  const alone = inferCalls(steps, loose, tree, evidence.content);
  readResultMessages(steps, ended);
  judgeCalls(steps, tree);
  for (const [step, told] of knowledgeBefore(steps, tree, evidence.content))
    if (step.informed !== null) step.informed = [...told, ...step.informed];
  traceValues(steps);
  addThoughts(steps);
  const handoffs = handoffIndex(steps, tree);
  const declared = declaredSteps(evidence, tree, handoffs);
  const all = declared.steps.length === 0 ? steps : [...steps, ...declared.steps].toSorted(inTime);
  all.forEach((step, i) => {
    step.n = i + 1;
  });
  const byCode = alone.map((span) => callOfSpan(span, null, span.span_id, evidence.content));
  const calls = [...all.flatMap((step) => step.chosen?.calls ?? []), ...byCode].toSorted(byTime);
  const edges = edgesOf(all, calls, declared.approvals, tree);
  tellSignals(all, calls, declared.approvals, edges);
  for (const { next } of all) if (next.length > 1) next.sort(inTime);
  return {
    task: evidence.task,
    steps: all,
    calls,
    toolsets: toolsets.all,
    edges,
    approvals: declared.approvals,
    spans: tree.sorted,
    ended,
  };
}

function inTime(a: Step, b: Step): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

function byTime(a: Call, b: Call): number {
  const at = timeOf(a);
  const other = timeOf(b);
  return at < other ? -1 : Number(at > other);
}

/** When a call was made: with its decision, or, made by code, when it ran. */
function timeOf(call: Call): bigint {
  return call.step?.end ?? call.result.span?.start ?? 0n;
}

function inferenceSteps(
  evidence: TaskEvidence,
  tree: SpanTree,
  toolsetOf: (hashes: readonly string[]) => Toolset | null,
): Step[] {
  const messages = readMessages(evidence.content);
  const links = chainCalls(modelCalls(tree, evidence.calls), tree, messages);
  const shown = shownAfter(links, messages);
  const steps = new Map<Link, Step>();
  const calls = indexCalls();
  for (const link of links) {
    const prev = link.prev === null ? null : (steps.get(link.prev) ?? null);
    const step = toStep(link, prev, toolsetOf(link.call.span.tool_definitions), evidence);
    steps.set(link, step);
    prev?.next.push(step);
    step.informed = informedBy(step, link, calls);
    step.turn = turnOf(step);
    choose(step, link, shown.get(link) ?? new Set());
    calls.add(step.chosen?.calls ?? []);
  }
  return [...steps.values()];
}

/** Identities of the messages that the followers of each call were shown, to tell which choice was taken. */
function shownAfter(links: readonly Link[], messages: Messages): Map<Link, Set<Seen['identity']>> {
  const several = links.filter(({ output }) => (output?.length ?? 0) > 1);
  const shown = new Map(several.map((link) => [link, new Set<Seen['identity']>()]));
  for (const { prev, call } of links) {
    const own = prev === null ? undefined : shown.get(prev);
    if (own === undefined) continue;
    for (const hash of call.span.input_messages) {
      const message = messages.message(hash);
      own.add(message === undefined ? hash : messages.identity(message));
    }
  }
  return shown;
}

function toStep(
  link: Link,
  prev: Step | null,
  toolset: Toolset | null,
  evidence: TaskEvidence,
): Step {
  const { span, attempts } = link.call;
  const first = attempts[0] ?? span;
  const choice =
    span.attributes['gen_ai.request.tool_choice'] ??
    span.attributes['tool_choice'] ??
    span.attributes['ai.prompt.toolChoice'];
  return {
    id: first.span_id,
    n: 0,
    kind: 'inference',
    topic: null,
    span,
    attempts,
    trace_id: span.trace_id,
    span_id: span.span_id,
    start: first.start,
    end: span.end,
    agent: link.place.agent,
    scope: link.place.scope,
    model: span.response_model || span.request_model || null,
    prev,
    next: [],
    turn: null,
    toolset,
    // Every provider's API takes an omitted choice for `auto` when tools are offered.
    toolChoice: choice ?? (toolset === null ? null : 'auto'),
    alternatives: [],
    chosen: null,
    why: null,
    informed: null,
    finish: finishOf(link),
    cost_usd: costOf(attempts, evidence.costs),
  };
}

/** The sum over attempts that were counted; null when one of them is unpriced, or none is known. */
function costOf(attempts: Step['attempts'], costs: TaskEvidence['costs']): number | null {
  const known = attempts.map((span) => costs.get(spanKey(span))).filter((c) => c !== undefined);
  if (known.length === 0) return null;
  return known.reduce<number | null>((sum, c) => (sum === null || c === null ? null : sum + c), 0);
}

function choose(step: Step, link: Link, shown: ReadonlySet<Seen['identity']>) {
  if (link.output === null) {
    step.chosen = unknownChoice(step);
    return;
  }
  const { message, others } = pickChoice(link.output, ({ identity }) => shown.has(identity));
  if (message === undefined) {
    step.chosen = unknownChoice(step);
    return;
  }
  step.chosen = chosenOf(step, message);
  step.why = statedReasons(step, message);
  step.alternatives = others.map((other) => ({ value: describe(other) }));
  for (const part of message.parts) {
    const own = step.chosen?.calls.find(({ call_id }) => call_id === part.id && part.id !== '');
    if (part.type === 'tool_result' && own !== undefined) applyMessage(own, part.text);
  }
}

function describe(message: Message): string {
  const calls = message.parts.filter(({ type }) => type === 'tool_call');
  return calls.length === 0
    ? textOf(message)
    : calls.map(({ name, text }) => `${name}(${text})`).join(', ');
}

/** Validity against the offered schema, and which calls are handoffs: those change no state themselves. */
function judgeCalls(steps: readonly Step[], tree: SpanTree) {
  const agents = new Set(tree.sorted.map(({ agent_name }) => agent_name));
  for (const { kind, handoff_to } of tree.sorted) if (kind === 'handoff') agents.add(handoff_to);
  agents.delete('');
  for (const step of steps) {
    for (const call of step.chosen?.calls ?? []) {
      judgeArguments(call, step.toolset);
      const hinted = step.toolset?.effects.get(call.tool);
      if (call.effectInferred && hinted !== undefined) {
        call.effect = hinted;
        call.effectInferred = false;
      }
      call.handoffTo = handoffTarget(call.tool, agents);
      if (call.handoffTo !== null) call.effect = 'unknown';
    }
  }
}

function judgeArguments(call: Call, toolset: Toolset | null) {
  if (call.argsText === null) {
    call.valid = call.result.span?.tool_arguments_valid ?? null;
    return;
  }
  if (toolset?.freeform.has(call.tool)) return;
  const schema = toolset?.parameters.get(call.tool);
  if (typeof call.args === 'string') {
    // Some tools take text of any form: without a schema only what begins like JSON must be JSON.
    if (schema === undefined && !/^\s*[[{]/.test(call.argsText)) return;
    call.valid = false;
    call.violations = ['not JSON'];
    return;
  }
  if (schema === undefined) return;
  call.violations = violations(schema, call.args);
  call.valid = call.violations.length === 0;
}

function traceValues(steps: readonly Step[]) {
  const traced = steps.filter(({ informed }) => informed !== null);
  const calls = traced.flatMap(({ chosen }) => chosen?.calls ?? []);
  const index = indexContent(visibility(steps), calls);
  for (const step of steps) {
    for (const content of step.informed ?? []) index.add(content, step);
    if (step.informed === null) continue;
    for (const call of step.chosen?.calls ?? []) {
      if (call.handoffTo !== null) continue;
      const lineage = traceArguments(call, step, index);
      call.sources = lineage?.sources ?? null;
      call.unsourced = lineage?.unsourced ?? null;
    }
  }
}

/** What a think tool wrote down is a reason of the decision after it. */
function addThoughts(steps: readonly Step[]) {
  for (const step of steps) {
    const { prev, why } = step;
    if (prev === null || why === null) continue;
    const thoughts = (prev.chosen?.calls ?? []).filter(({ tool }) => isThinkTool(tool));
    step.why = [
      ...thoughts.map(({ args }) => ({
        kind: 'think_tool' as const,
        text: thoughtOf(args),
        span_id: prev.span_id,
      })),
      ...why,
    ];
  }
}

function thoughtOf(args: unknown): string | null {
  if (typeof args === 'string') return args;
  if (!isRecord(args)) return null;
  const texts = Object.values(args).filter((value) => typeof value === 'string');
  return texts.length === 0 ? null : texts.join('\n');
}

/** Whether a handoff event stands on, or under, the tool span of a call that already is that handoff. */
function handoffIndex(steps: readonly Step[], tree: SpanTree) {
  let bySpan: Map<DecisionSpan | null, Call> | undefined;
  let byId: Map<string, DecisionSpan> | undefined;
  return (spanId: string, to: string): boolean => {
    // Most tasks hand nothing over.
    byId ??= new Map(tree.sorted.map((span) => [span.span_id, span]));
    bySpan ??= new Map(
      steps.flatMap((step) => (step.chosen?.calls ?? []).map((call) => [call.result.span, call])),
    );
    const span = byId.get(spanId);
    if (span === undefined) return false;
    const tool = span.kind === 'tool' ? span : tree.place(span).tool;
    const call = tool === null ? undefined : bySpan.get(tool);
    if (call === undefined) return false;
    call.handoffTo ??= to;
    return true;
  };
}

/** The toolsets by reference. */
export function toolsetAnswers(toolsets: readonly Toolset[]): Record<string, ToolsetAnswer> {
  return Object.fromEntries(toolsets.map(({ id, tools, schemas }) => [id, { tools, schemas }]));
}
