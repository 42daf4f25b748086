import { type Attributes, context, type Span, trace } from '@opentelemetry/api';
import { known } from './attributes.ts';
import { contentText, redacted } from './content.ts';
import { failSpan } from './failure.ts';
import { attempt } from './guard.ts';
import { contentLevel, scope } from './runtime.ts';
import { run } from './settle.ts';
import { inheritedAttributes, withAgentScope } from './task-context.ts';

export type ObservedKind = 'agent' | 'retrieval' | 'step';

export interface ObserveOptions {
  readonly name: string;
  readonly kind: ObservedKind;
}

export interface AgentOptions {
  readonly name: string;
  readonly version?: string | undefined;
}

type Callable = (...values: never[]) => unknown;

/** Runs `fn` as an agent's work: spans inside carry its name, and its model calls are counted from one. */
export function agent<T>({ name, version }: AgentOptions, fn: () => T): T {
  const attributes = known({
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': name,
    'gen_ai.agent.version': version,
  });
  return spanned({ name: `invoke_agent ${name}`, agent: name, attributes }, fn);
}

/** The same function with a span around each call: an agent's work, a retrieval, or a step of the task. */
export function observe<F extends Callable>(fn: F, { name, kind }: ObserveOptions): F {
  const observed = function (this: unknown, ...values: Parameters<F>): unknown {
    const call = (): unknown => Reflect.apply(fn, this, values);
    switch (kind) {
      case 'agent':
        return agent({ name }, call);
      case 'retrieval':
        return retrieval(name, values[0], call);
      case 'step':
        return spanned({ name: `step ${name}`, attributes: { 'agent.task.step': name } }, call);
    }
  };
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(observed, key, { value: fn[key], configurable: true });
  }
  return observed as F;
}

function retrieval(name: string, query: unknown, call: () => unknown): unknown {
  const text = contentLevel() === 'full' && typeof query === 'string' ? query : undefined;
  const attributes = known({
    'gen_ai.operation.name': 'retrieval',
    'gen_ai.data_source.id': name,
    'gen_ai.retrieval.query.text': redacted(text, 'gen_ai.retrieval.query.text'),
  });
  const found = (span: Span, result: unknown): void => {
    if (contentLevel() !== 'full' || !Array.isArray(result)) return;
    const key = 'gen_ai.retrieval.documents';
    span.setAttributes(known({ [key]: contentText(result.map(documentOf), key) }));
  };
  return spanned({ name: `retrieval ${name}`, attributes, found }, call);
}

/** The conventions list found documents by id and score; their text is the application's. */
function documentOf(document: unknown): object {
  const { id, score } = (document ?? {}) as { id?: unknown; score?: unknown };
  return { id, score };
}

interface Spanned {
  readonly name: string;
  readonly agent?: string;
  readonly attributes: Attributes;
  readonly found?: (span: Span, result: unknown) => void;
}

function spanned<T>({ name, agent: agentName, attributes, found }: Spanned, fn: () => T): T {
  const begin = () => {
    const active = context.active();
    const at = agentName === undefined ? active : withAgentScope(active, agentName);
    const span = trace
      .getTracer(scope.name, scope.version)
      .startSpan(name, { attributes: { ...inheritedAttributes(at), ...attributes } }, at);
    return {
      context: trace.setSpan(at, span),
      end: (settled: { ok: boolean; value?: unknown; error?: unknown }) => {
        attempt('observe.end', () => {
          if (settled.ok) found?.(span, settled.value);
          else failSpan(span, settled.error);
        });
        span.end();
      },
    };
  };
  return run('observe', begin, fn);
}
