import type { LogCallColumns } from '../../store/tables/logs.ts';
import type { OtlpLog } from '../otlp/model.ts';
import { at, numberAt, textAt } from './fields.ts';
import type { Mapping } from './mapping.ts';
import { modelKinds } from './model-name.ts';
import type { Resolved } from './resolve.ts';
import { reportedCost, usageOf } from './span-row.ts';
import { attribute, textOf } from './values.ts';

/** Reads the call that a log record reports. */
export type ReadLogCall = (
  log: OtlpLog,
  name: string,
  resolved: Resolved,
  exclusive: boolean,
) => LogCallColumns;

const approvals: ReadonlySet<string> = new Set([
  'accept',
  'accepted',
  'approve',
  'approved',
  'allow',
]);

/** Compiles the rules of the mapping for records that report calls. */
export function createLogCalls(
  mapping: Mapping,
  rankOf: (convention: string) => number,
  guessProvider: (model: string) => string,
): ReadLogCall {
  const rules = new Map<string, Mapping['log_calls']>();
  for (const rule of mapping.log_calls) {
    rules.set(rule.event, [...(rules.get(rule.event) ?? []), rule]);
  }
  return (log, name, resolved, exclusive) => {
    const rule = rules
      .get(name)
      ?.find(
        ({ when = {}, unless = [] }) =>
          !unless.some((id) => resolved.detected[rankOf(id)] === 1) &&
          Object.entries(when).every(([key, values]) =>
            values.includes(textOf(attribute(log.attributes, key) ?? null)),
          ),
      );
    if (rule === undefined) return noCall;
    const { values } = resolved;
    const kind = rule.kind === 'stated' ? resolved.kind : rule.kind;
    const usage = usageOf(values, exclusive);
    const metered = usage.input !== null || usage.output !== null;
    if (rule.metered === true && !metered) return noCall;
    if (rule.kind === 'stated' && !(modelKinds.has(kind) && metered)) return noCall;
    const request = textAt(values, 'request_model');
    const response = textAt(values, 'response_model');
    const isModel = modelKinds.has(kind);
    return {
      kind,
      provider: textAt(values, 'provider') || (isModel ? guessProvider(response || request) : ''),
      request_model: request,
      response_model: response,
      response_id: textAt(values, 'response_id'),
      service_tier: textAt(values, 'service_tier'),
      input_tokens: usage.input,
      output_tokens: usage.output,
      cache_read_tokens: usage.cacheRead,
      cache_write_tokens: usage.cacheWrite,
      cache_write_1h_tokens: usage.cacheWrite1h,
      reasoning_tokens: usage.reasoning,
      cost_reported: reportedCost(values),
      duration_ms: milliseconds(numberAt(values, 'server_duration_s')),
      ttft_ms: milliseconds(numberAt(values, 'time_to_first_token_s')),
      tool_name: textAt(values, 'tool_name'),
      tool_call_id: textAt(values, 'tool_call_id'),
      call_status: statusOf(kind, rule.failed === true, resolved),
    };
  };
}

function statusOf(kind: string, failed: boolean, { values }: Resolved): string {
  if (kind === 'approval') {
    return approvals.has(textAt(values, 'tool_decision')) ? 'approved' : 'denied';
  }
  if (failed) return 'span';
  return kind === 'tool' && values[at.tool_success] === false ? 'flag' : '';
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null || seconds < 0 ? null : seconds * 1000;
}

/** Of a record that reports no call. */
export const noCall: LogCallColumns = {
  kind: '',
  provider: '',
  request_model: '',
  response_model: '',
  response_id: '',
  service_tier: '',
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  cache_write_1h_tokens: null,
  reasoning_tokens: null,
  cost_reported: null,
  duration_ms: null,
  ttft_ms: null,
  tool_name: '',
  tool_call_id: '',
  call_status: '',
};
