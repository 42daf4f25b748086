import { list, parse, record, text } from '../wire/json.ts';
import type { Finding, RecordedSpan, RecordedTask } from './recorded.ts';

/**
 * The facts about a task that follow from what it sent at any content level above `none`, by the names and rules of
 * Plumbline; what needs content, other tasks or a threshold is the server's.
 */
export function findingsOf(task: RecordedTask): Finding[] {
  return [
    ...task.modelCalls.flatMap(modelFindings),
    ...task.toolCalls.flatMap((call) => toolFindings(call, task)),
    ...sideEffects(task.toolCalls),
    ...repetitions(task.toolCalls),
    ...storms(task.toolCalls),
    ...task.spans.flatMap(limits),
  ];
}

function modelFindings(span: RecordedSpan): Finding[] {
  const { attributes } = span;
  const of = (finding: string, said: string): Finding => ({
    finding,
    text: said,
    spanIds: [span.spanId],
  });
  const messages = list(parse(String(attributes['gen_ai.output.messages'] ?? '[]')));
  const parts = messages.flatMap((message) => list(record(message)?.['parts']).map(record));
  const kinds = parts.map((part) => part?.['type']);
  const offered = attributes['gen_ai.tool.definitions'];
  const reasons = list(attributes['gen_ai.response.finish_reasons']).map(String);
  const found: Finding[] = [];
  if (typeof offered === 'string') {
    const names = list(parse(offered)).map((definition) => text(record(definition)?.['name']));
    for (const part of parts) {
      const name = text(part?.['name']);
      if (part?.['type'] !== 'tool_call' || name === undefined || names.includes(name)) continue;
      found.push(of('hallucinated_tool', `${name} is none of ${names.join(', ')}`));
    }
  }
  if (reasons.includes('length')) {
    found.push(of('truncated_output', `${span.name} stopped at its output limit`));
  }
  if (kinds.includes('refusal') || reasons.includes('content_filter')) {
    found.push(of('refusal', `${span.name} was refused or filtered`));
  }
  if (messages.length > 0 && kinds.length === 0 && !span.failed && !reasons.includes('length')) {
    found.push(of('empty_answer', `${span.name} answered with neither text nor a call`));
  }
  return found;
}

function toolFindings(span: RecordedSpan, task: RecordedTask): Finding[] {
  const { attributes } = span;
  const name = nameOf(span);
  const error = attributes['error.type'];
  const of = (finding: string, said: string): Finding[] => [
    { finding, text: `${name} ${said}`, spanIds: [span.spanId] },
  ];
  const risk = String(attributes['agent.tool.risk'] ?? '');
  if (attributes['agent.tool.arguments.valid'] === false) {
    return of('invalid_arguments', 'was called with arguments that do not fit its schema');
  }
  if (error === 'approval_denied') return of('blocked_action', 'was chosen but denied');
  if (span.failed) return of('tool_error', `failed: ${String(error ?? 'error')}`);
  return [
    ...(attributes['agent.tool.result.valid'] === false
      ? of('silent_tool_failure', 'returned a result that its own check refuses')
      : attributes['agent.tool.result.error_like'] === true
        ? of('silent_tool_failure', 'returned an error text with status OK')
        : []),
    ...(['high', 'critical'].includes(risk) && !isApproved(span, task)
      ? of('unapproved_risky_action', `has risk ${risk} and ran without an approval`)
      : []),
  ];
}

/** A span's times are behind those of log records by up to a millisecond: its start is cut to whole ones. */
const slackMs = 2;

function isApproved(span: RecordedSpan, { logs }: RecordedTask): boolean {
  const approvals = logs.filter(({ name }) => name === 'agent.approval');
  const callId = span.attributes['gen_ai.tool.call.id'];
  const asked = approvals
    .filter(
      ({ attributes }) =>
        attributes['agent.approval.action'] === nameOf(span) ||
        (callId !== undefined && attributes['agent.approval.call_id'] === callId),
    )
    .map(({ attributes }) => attributes['agent.approval.id']);
  return approvals.some(
    ({ attributes, time }) =>
      attributes['agent.approval.status'] === 'approved' &&
      asked.includes(attributes['agent.approval.id']) &&
      time <= span.endTime + slackMs,
  );
}

function limits(span: RecordedSpan): Finding[] {
  const budget = span.attributes['agent.budget.exceeded'];
  if (budget === undefined) return [];
  const said = `${span.name} exceeded its budget: ${String(budget)}`;
  return [{ finding: 'limit_exceeded', text: said, spanIds: [span.spanId] }];
}

function sideEffects(calls: readonly RecordedSpan[]): Finding[] {
  const done = new Map<string, RecordedSpan>();
  return calls.flatMap((call): Finding[] => {
    const { attributes } = call;
    if (call.failed || attributes['agent.tool.effect'] !== 'write') return [];
    if (attributes['agent.tool.result.error_like'] === true) return [];
    const keys = ['agent.tool.idempotency_key', 'agent.tool.arguments.hash'].flatMap((key) =>
      attributes[key] === undefined ? [] : [`${key} ${nameOf(call)} ${String(attributes[key])}`],
    );
    const first = keys.map((key) => done.get(key)).find((span) => span !== undefined);
    for (const key of keys) if (!done.has(key)) done.set(key, call);
    if (!first) return [];
    const said = `${nameOf(call)} succeeded twice with the same arguments or key`;
    return [{ finding: 'duplicate_side_effect', text: said, spanIds: [first.spanId, call.spanId] }];
  });
}

/** The same tool, arguments and result: twice is a repeated call, three times a loop. */
function repetitions(calls: readonly RecordedSpan[]): Finding[] {
  const triples = new Map<string, RecordedSpan[]>();
  for (const call of calls) {
    const { attributes } = call;
    const args = attributes['agent.tool.arguments.hash'];
    const result = attributes['agent.tool.result.hash'];
    if (args === undefined || result === undefined || attributes['agent.tool.polling']) continue;
    const key = `${nameOf(call)} ${String(args)} ${String(result)}`;
    triples.set(key, [...(triples.get(key) ?? []), call]);
  }
  return [...triples.values()].flatMap((same): Finding[] => {
    const [first] = same;
    if (!first || same.length < 2) return [];
    const said = `${nameOf(first)} was called ${same.length} times with the same arguments and result`;
    const finding = same.length > 2 ? 'loop' : 'repeated_call';
    return [{ finding, text: said, spanIds: same.map(({ spanId }) => spanId) }];
  });
}

const stormErrors = 3;

/** Errors of one tool in a row, by span or by what the result says. */
function storms(calls: readonly RecordedSpan[]): Finding[] {
  const found: Finding[] = [];
  let row: RecordedSpan[] = [];
  const close = (): void => {
    const [first] = row;
    if (first && row.length >= stormErrors) {
      const said = `${nameOf(first)} failed ${row.length} times in a row`;
      const spanIds = row.map(({ spanId }) => spanId);
      found.push({ finding: 'retry_storm', text: said, spanIds });
    }
    row = [];
  };
  for (const call of calls) {
    const failed = call.failed || call.attributes['agent.tool.result.error_like'] === true;
    if (!failed || (row[0] && nameOf(row[0]) !== nameOf(call))) close();
    if (failed) row.push(call);
  }
  close();
  return found;
}

function nameOf({ attributes }: RecordedSpan): string {
  return String(attributes['gen_ai.tool.name'] ?? 'tool');
}
