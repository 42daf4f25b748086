import { context, type Span } from '@opentelemetry/api';
import { attempt } from '../guard.ts';
import { endToldTool, startToldTool } from '../tool-span.ts';
import { record, text } from '../wire/json.ts';

/** The part of `@langchain/core/context` that is needed. */
export interface LangChainContext {
  setContextVariable(name: PropertyKey, value: unknown): void;
  registerConfigureHook(hook: { contextVar?: string; inheritable?: boolean }): void;
}

const maxOpen = 1_000;

/**
 * A LangChain callback handler: an `execute_tool` span for every tool run. Pass it as `callbacks: [langchainHandler()]`, or
 * once for everything with {@link observeLangChain}. Model calls are seen by fetch.
 */
export function langchainHandler() {
  const spans = new Map<string, Span>();
  const end = (runId: string, settled: { value: unknown } | { error: unknown }): void => {
    const span = spans.get(runId);
    spans.delete(runId);
    if (span) endToldTool(span, settled);
  };
  const handler = {
    name: 'plumbline',
    // Awaited: the span must have started before the tool, and ended before the next model call.
    awaitHandlers: true,
    raiseError: false,
    ignoreLLM: true,
    ignoreChain: true,
    ignoreAgent: false,
    ignoreRetriever: true,
    ignoreCustomEvent: true,
    copy: () => handler,
    handleToolStart(...told: unknown[]): void {
      attempt('langchain.start', () => {
        const [tool, input, runId, , , , runName, callId] = told;
        const serialized = record(tool);
        const name = text(runName) ?? text(serialized?.['name']) ?? 'tool';
        if (spans.size >= maxOpen) spans.delete(spans.keys().next().value ?? '');
        const call = { name, id: text(callId), input };
        spans.set(String(runId), startToldTool(call, context.active()));
      });
    },
    handleToolEnd(output: unknown, runId: string): void {
      attempt('langchain.end', () => {
        // A tool message wraps what the tool returned.
        const message = record(output);
        const failed = message?.['status'] === 'error';
        const value = message && 'content' in message ? message['content'] : output;
        end(runId, failed ? { error: new Error(text(value) ?? 'tool failed') } : { value });
      });
    },
    handleToolError(error: unknown, runId: string): void {
      attempt('langchain.error', () => end(runId, { error }));
    },
  };
  return handler;
}

/**
 * Registers the handler for everything that LangChain runs from here on, by its own hook:
 * `observeLangChain(await import('@langchain/core/context'))`, once, before the first run.
 */
export function observeLangChain(langchain: LangChainContext): void {
  attempt('langchain.hook', () => {
    const contextVar = 'plumbline';
    langchain.setContextVariable(contextVar, langchainHandler());
    langchain.registerConfigureHook({ contextVar, inheritable: true });
  });
}
