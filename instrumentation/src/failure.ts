import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { known } from './attributes.ts';
import { redacted } from './content.ts';
import { contentLevel } from './runtime.ts';

/** A low-cardinality name of what went wrong: a code where there is one, else the class of the error. */
export function errorType(error: unknown): string {
  try {
    if (!(error instanceof Error)) return typeof error === 'object' ? '_OTHER' : typeof error;
    const code = codeOf(error) ?? codeOf(error.cause);
    if (code) return code;
    return error.name !== 'Error' ? error.name : error.constructor.name || 'Error';
  } catch {
    return '_OTHER';
  }
}

/** Marks the span as failed. Messages may quote content, so they are recorded at the full level only, redacted. */
export function failSpan(span: Span, error: unknown): void {
  const type = errorType(error);
  span.setAttribute('error.type', type);
  if (contentLevel() !== 'full' || !(error instanceof Error)) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.addEvent('exception', { 'exception.type': type });
    return;
  }
  const message = redacted(error.message, 'exception.message');
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message && { message }) });
  span.addEvent(
    'exception',
    known({
      'exception.type': type,
      'exception.message': message,
      'exception.stacktrace': redacted(error.stack, 'exception.stacktrace'),
    }),
  );
}

function codeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('code' in value)) return undefined;
  return typeof value.code === 'string' && /^[\w.-]{1,64}$/.test(value.code)
    ? value.code
    : undefined;
}
