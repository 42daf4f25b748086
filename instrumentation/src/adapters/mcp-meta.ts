import { context, trace } from '@opentelemetry/api';
import { type Carrier, extractTask } from '../carrier.ts';
import { guard } from '../guard.ts';
import { record, text } from '../wire/json.ts';

/**
 * Runs a tool in the trace and task that an MCP client sent along (`params._meta`, SEP-414), when it is the handler of an
 * MCP server and nothing else is active. Servers of the SDK hand `_meta` to the handler in its second argument.
 */
export function continuing<T>(values: readonly unknown[], run: () => T): T {
  const meta = guard('mcp.meta', () => metaOf(values), undefined);
  if (!meta || trace.getSpan(context.active())) return run();
  return extractTask(meta, run);
}

function metaOf(values: readonly unknown[]): Carrier | undefined {
  for (const value of values.slice(1)) {
    const extra = record(value);
    const request = record(extra?.['mcpReq']) ?? extra;
    const meta = record(request?.['_meta']);
    const traceparent = text(meta?.['traceparent']);
    if (!meta || !traceparent) continue;
    return {
      traceparent,
      tracestate: text(meta['tracestate']),
      baggage: text(meta['baggage']),
    };
  }
  return undefined;
}
