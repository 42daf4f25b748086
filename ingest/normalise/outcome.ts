import type { OutcomeRow } from '../../store/tables/outcomes.ts';
import type { Attribute } from '../otlp/model.ts';
import type { Hash } from './blobs.ts';
import { double } from './numbers.ts';
import { attribute, jsonOf, textOf } from './values.ts';

/** Name of the log record or span event that carries a verdict. */
export const outcomeEvent = 'agent.outcome';

/** Where and when a verdict was given. */
export interface OutcomePlace {
  readonly project: string;
  /** The declared task, '' when the item names none. */
  readonly taskId: string;
  readonly ref: string;
  readonly responseId: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

const verdicts: ReadonlySet<string> = new Set(['success', 'failure', 'unknown']);
const sources: ReadonlySet<string> = new Set(['explicit', 'feedback', 'evaluation', 'inferred']);

/**
 * The verdict in an `agent.outcome` record. It names the most precise thing it can: its task, else its reference, else
 * the response, else the trace; naming more would apply it twice where a trace holds several tasks.
 */
export function outcomeRow(
  place: OutcomePlace,
  attributes: readonly Attribute[],
  hash: Hash,
): OutcomeRow {
  const read = (key: string) => textOf(attribute(attributes, key) ?? null);
  const outcome = read('agent.outcome').toLowerCase();
  const source = read('agent.outcome.source').toLowerCase();
  const { project, taskId, traceId, spanId, time } = place;
  const ref = taskId === '' ? place.ref : '';
  const responseId = taskId === '' && ref === '' ? place.responseId : '';
  const identity = [project, taskId, traceId, spanId, String(time)].join('\u0000');
  return {
    project,
    key: hash(identity).toString(16).padStart(16, '0'),
    task_id: taskId,
    ref,
    trace_id: taskId === '' && ref === '' && responseId === '' ? traceId : '',
    response_id: responseId,
    session_id: '',
    outcome: verdicts.has(outcome) ? outcome : 'unknown',
    score: double(jsonOf(attribute(attributes, 'agent.outcome.score') ?? null)) ?? null,
    reason: read('agent.outcome.reason'),
    source: sources.has(source) ? source : 'explicit',
    by: read('agent.outcome.by'),
    at: time / 1000n,
  };
}
