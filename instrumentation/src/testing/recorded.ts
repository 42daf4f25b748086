import type { Attributes } from '@opentelemetry/api';

/** A span as it was sent. Times are ms since 1970. */
export interface RecordedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startTime: number;
  readonly endTime: number;
  /** Whether its status is an error. */
  readonly failed: boolean;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A log record as it was sent. Time is ms since 1970. */
export interface RecordedLog {
  readonly name: string;
  readonly time: number;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly attributes: Attributes;
}

/** A task as it was sent so far. */
export interface RecordedTask {
  readonly id: string;
  readonly workflow: string;
  /** Every state that was reported, in order. */
  readonly states: readonly string[];
  readonly outcome: string | undefined;
  /** By start. */
  readonly spans: readonly RecordedSpan[];
  readonly logs: readonly RecordedLog[];
  readonly modelCalls: readonly RecordedSpan[];
  readonly toolCalls: readonly RecordedSpan[];
}

/** A defect of behaviour, named as Plumbline names it, with the spans that show it. */
export interface Finding {
  readonly finding: string;
  readonly text: string;
  readonly spanIds: readonly string[];
}
