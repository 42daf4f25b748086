import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { scope } from '../runtime.ts';
import { inheritedAttributes } from '../task-context.ts';

/** The span that describes a model call: our own, or one that an SDK opened and we only complete. */
export interface CallSpan {
  readonly context: Context;
  readonly recording: boolean;
  /** Takes events, like that of a budget. */
  readonly span: Span;
  readonly set: (attributes: Attributes) => void;
  readonly fail: (type: string, message?: string) => void;
  /** At a time of `performance.now()`; now by default. */
  readonly end: (at?: number) => void;
}

const inferenceOperations = new Set(['chat', 'generate_content', 'text_completion', 'embeddings']);

/**
 * An SDK that instruments itself (Anthropic, @ai-sdk/otel) has its inference span active while it fetches: that span is
 * enriched instead of opening a second one, and never overwritten, failed or ended from here.
 */
export function callSpan(name: string, attributes: Attributes): CallSpan {
  const parent = context.active();
  const foreign = trace.getSpan(parent);
  if (foreign && isInference(foreign)) return enriched(foreign, parent, attributes);
  const span = trace
    .getTracer(scope.name, scope.version)
    .startSpan(
      name,
      { kind: SpanKind.CLIENT, attributes: { ...inheritedAttributes(parent), ...attributes } },
      parent,
    );
  return {
    context: trace.setSpan(parent, span),
    recording: span.isRecording(),
    span,
    set: (more) => span.setAttributes(more),
    fail: (type, message) => {
      span.setAttribute('error.type', type);
      span.setStatus({ code: SpanStatusCode.ERROR, ...(message && { message }) });
    },
    end: (at) => span.end(at),
  };
}

function enriched(span: Span, parent: Context, attributes: Attributes): CallSpan {
  const set = (more: Attributes): void => {
    if (!span.isRecording()) return;
    const present = attributesOf(span);
    for (const [key, value] of Object.entries(more)) {
      if (value !== undefined && present[key] === undefined) span.setAttribute(key, value);
    }
  };
  set(attributes);
  const leave = (): void => undefined;
  return { context: parent, recording: true, span, set, fail: leave, end: leave };
}

function isInference(span: Span): boolean {
  const operation = attributesOf(span)['gen_ai.operation.name'];
  return span.isRecording() && typeof operation === 'string' && inferenceOperations.has(operation);
}

/** Spans of the SDK show their attributes; the API does not promise it. */
function attributesOf(span: Span): Attributes {
  return 'attributes' in span ? ((span.attributes as Attributes | undefined) ?? {}) : {};
}
