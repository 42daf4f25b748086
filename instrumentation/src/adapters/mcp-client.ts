import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { type Carrier, injectTask } from '../carrier.ts';
import { contentText } from '../content.ts';
import { digest } from '../fingerprint.ts';
import { attempt } from '../guard.ts';
import { matchCall } from '../pending-calls.ts';
import { canonicalJson } from '../plain.ts';
import { contentLevel, scope } from '../runtime.ts';
import { run, type Settled } from '../settle.ts';
import { activeScope, activeTask, inheritedAttributes } from '../task-context.ts';
import { recordValue } from '../tool-span.ts';
import { type Json, record, records, text } from '../wire/json.ts';

/** A client of `@modelcontextprotocol/sdk` or `@modelcontextprotocol/client`. */
export interface McpClientLike {
  request(...values: never[]): unknown;
}

export interface McpClientOptions {
  /** The server is one of yours: task id and workflow go along, as baggage. Others get the trace context only. */
  readonly trusted?: boolean | undefined;
}

/**
 * A span for each request of this client, as the MCP conventions name it, and the trace context in `params._meta` for the
 * server. The client itself is returned; its `request` is replaced on this one object.
 */
export function observeMcpClient<C extends McpClientLike>(
  client: C,
  { trusted = false }: McpClientOptions = {},
): C {
  const original = client.request as (...values: unknown[]) => unknown;
  const request = function (this: unknown, ...values: unknown[]): unknown {
    const [message, ...rest] = values;
    const told = record(message);
    const method = text(told?.['method']);
    if (!told || !method) return Reflect.apply(original, this, values);
    let sent: unknown = message;
    return run(
      'mcp',
      () => {
        const span = startSpan(method, record(told['params']));
        const at = trace.setSpan(context.active(), span);
        sent = context.with(at, () => withMeta(told, trusted));
        return { context: at, end: (settled) => endSpan(span, settled, method) };
      },
      () => Reflect.apply(original, this, [sent, ...rest]),
    );
  };
  attempt('mcp.observe', () => {
    Object.defineProperty(client, 'request', {
      value: request,
      configurable: true,
      writable: true,
    });
  });
  return client;
}

function startSpan(method: string, params: ReturnType<typeof record>): Span {
  const target = text(params?.['name']) ?? text(params?.['uri']);
  const called = method === 'tools/call';
  return trace
    .getTracer(scope.name, scope.version)
    .startSpan(
      [method, called || method === 'prompts/get' ? target : undefined].filter(Boolean).join(' '),
      {
        kind: SpanKind.CLIENT,
        attributes: {
          ...inheritedAttributes(context.active()),
          ...known({
            'mcp.method.name': method,
            'gen_ai.prompt.name': method === 'prompts/get' ? target : undefined,
            'mcp.resource.uri': method === 'resources/read' ? target : undefined,
          }),
          ...(called && target && callAttributes(target, params?.['arguments'] ?? {})),
        },
      },
    );
}

/** A tool call as any other, with the call of the model that it answers. */
function callAttributes(name: string, input: unknown): Attributes {
  const at = context.active();
  const level = contentLevel();
  const json = canonicalJson(input);
  const asked = matchCall(activeTask(at), name, json);
  const key = 'gen_ai.tool.call.arguments';
  return known({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': name,
    'gen_ai.tool.type': 'function',
    'gen_ai.tool.call.id': asked?.id,
    'agent.tool.arguments.valid': asked?.valid,
    [key]: level === 'full' ? contentText(input, key) : undefined,
    'agent.tool.arguments.hash': level === 'none' ? undefined : digest(json),
    'agent.iteration': activeScope(at)?.iteration || undefined,
  });
}

function withMeta(message: object, trusted: boolean): object {
  const params = record(record(message)?.['params']) ?? {};
  const carrier: Carrier = injectTask({});
  if (!trusted) delete carrier['baggage'];
  const meta = { ...record(params['_meta']), ...carrier };
  return { ...message, params: { ...params, _meta: meta } };
}

function endSpan(span: Span, settled: Settled, method: string): void {
  const answer = settled.ok ? record(settled.value) : undefined;
  const failed = !settled.ok || answer?.['isError'] === true;
  if (method === 'tools/call' && answer) recordValue(span, saidBy(answer));
  if (failed) {
    const code = settled.ok ? 'tool_error' : String(record(settled.error)?.['code'] ?? '_OTHER');
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** What the model is shown of a tool's answer: its text, where it has nothing else. */
function saidBy(answer: Json): unknown {
  const content = records(answer['content']);
  const texts = content.flatMap((part) =>
    part['type'] === 'text' ? (text(part['text']) ?? '') : [],
  );
  if (content.length > 0 && texts.length === content.length) return texts.join('\n');
  return answer['structuredContent'] ?? content;
}
