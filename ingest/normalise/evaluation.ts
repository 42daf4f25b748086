import type { EvaluationRow } from '../../store/tables/evaluations.ts';
import type { Attribute } from '../otlp/model.ts';
import type { Hash } from './blobs.ts';
import { double } from './numbers.ts';
import type { OutcomePlace } from './outcome.ts';
import { attribute, jsonOf, textOf } from './values.ts';

/** Name of the log record that carries a score. */
export const evaluationEvent = 'gen_ai.evaluation.result';

/** The score in a `gen_ai.evaluation.result` record. The same record gives the same row, however often it is sent. */
export function evaluationRow(
  { project, taskId, traceId, spanId, responseId, time }: OutcomePlace,
  evaluator: string,
  attributes: readonly Attribute[],
  hash: Hash,
): EvaluationRow {
  const read = (key: string) => textOf(attribute(attributes, key) ?? null);
  const name = read('gen_ai.evaluation.name');
  const identity = [project, taskId, traceId, spanId, responseId, name, String(time)];
  return {
    project,
    key: hash(identity.join('\u0000')).toString(16).padStart(16, '0'),
    task_id: taskId,
    trace_id: traceId,
    span_id: spanId,
    response_id: responseId,
    name,
    score: double(jsonOf(attribute(attributes, 'gen_ai.evaluation.score.value') ?? null)) ?? null,
    label: read('gen_ai.evaluation.score.label'),
    evaluator,
    explanation: read('gen_ai.evaluation.explanation'),
    at: time / 1000n,
  };
}
