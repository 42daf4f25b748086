import { boolean, double, unsigned } from './numbers.ts';
import { asText, type Json } from './values.ts';

/** Scalar fields that become columns or steer rules. The rest of the mapping's fields stay raw attributes. */
export const scalarFields = [
  'span_kind',
  'operation',
  'provider',
  'framework',
  'request_model',
  'response_model',
  'response_id',
  'previous_response_id',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'uncached_input_tokens',
  'cache_read_input_tokens',
  'cache_write_input_tokens',
  'cache_write_1h_input_tokens',
  'reasoning_output_tokens',
  'cost_total',
  'cost_input',
  'cost_output',
  'time_to_first_token_s',
  'server_duration_s',
  'service_tier',
  'finish_reasons',
  'error_type',
  'error_message',
  'agent_name',
  'agent_id',
  'handoff_from',
  'handoff_to',
  'conversation_id',
  'user_id',
  'api_key',
  'environment',
  'release',
  'prompt_name',
  'prompt_version',
  'prompt_fingerprint',
  'toolset_fingerprint',
  'request_hash',
  'iteration',
  'task_id',
  'workflow_name',
  'task_attempt',
  'task_ref',
  'task_parent_id',
  'task_traffic',
  'task_idempotency_key',
  'tool_name',
  'tool_call_id',
  'tool_type',
  'tool_success',
  'tool_decision',
  'tool_effect',
  'tool_risk',
  'tool_polling',
  'tool_side_effect_key',
  'tool_arguments_hash',
  'tool_arguments_valid',
  'tool_result_hash',
  'tool_result_bytes',
  'tool_result_shape',
  'tool_result_error_like',
  'tool_result_valid',
] as const;

/** Fields whose values are content: they become messages or blobs. */
export const contentFields = [
  'input_messages',
  'output_messages',
  'system_instructions',
  'tool_definitions',
  'tool_arguments',
  'tool_result',
] as const;

/** Fields that hold content and have no column: their attributes leave the row for the payload. */
export const payloadOnlyFields = [
  'input_value',
  'output_value',
  'trace_input',
  'trace_output',
  'prompt_template',
  'prompt_variables',
  'retrieval_query',
  'retrieval_documents',
  'embedding_inputs',
  'memory_query',
  'memory_records',
  'response_schema',
] as const;

export type ScalarField = (typeof scalarFields)[number];
export type ContentField = (typeof contentFields)[number];

/** Position of a scalar field in a {@link FieldValues}. */
export const at = Object.fromEntries(scalarFields.map((name, i) => [name, i])) as Readonly<
  Record<ScalarField, number>
>;

/** Canonical scalars of one span or log, by position. */
export type FieldValues = (Json | undefined)[];

/** Longest text of a field other than an error message; what wire data puts beyond it stays in the raw attribute. */
const maxText = 1024;

/** Brings a transformed value to the field's type; undefined when it does not fit. */
export function coerce(value: Json, type: string): Json | undefined {
  switch (type) {
    case 'uint':
    case 'int':
      return unsigned(value);
    case 'float':
      return double(value);
    case 'bool':
      return boolean(value);
    default:
      return asText(value)?.trim();
  }
}

/** The text of a field, empty when unknown. */
export function textAt(values: FieldValues, field: ScalarField): string {
  const value = values[at[field]];
  if (typeof value !== 'string') return '';
  return value.length > maxText && field !== 'error_message' ? value.slice(0, maxText) : value;
}

/** The count in a field, null when unknown. */
export function countAt(values: FieldValues, field: ScalarField): bigint | null {
  const value = values[at[field]];
  return typeof value === 'bigint' ? value : null;
}

/** The number in a field, null when unknown. */
export function numberAt(values: FieldValues, field: ScalarField): number | null {
  const value = values[at[field]];
  return typeof value === 'number' ? value : null;
}

/** The count in a field as a small integer of at most `max`, null when unknown or beyond. */
export function smallAt(values: FieldValues, field: ScalarField, max: number): number | null {
  const value = values[at[field]];
  return typeof value === 'bigint' && value <= BigInt(max) ? Number(value) : null;
}

/** The flag in a field as 0 or 1, null when unknown. */
export function flagAt(values: FieldValues, field: ScalarField): number | null {
  const value = values[at[field]];
  return typeof value === 'boolean' ? Number(value) : null;
}
