import { installFetch } from './fetch/install.ts';
import type { Handle, RegisterOptions } from './node.ts';

export { langchainHandler, observeLangChain } from './adapters/langchain.ts';
export { type McpClientLike, observeMcpClient } from './adapters/mcp-client.ts';
export { type ApprovalDecision, type ApprovalRequest, approval, type Risk } from './approval.ts';
export {
  type ApprovalAsk,
  ApprovalDeniedError,
  type ApprovalPolicy,
  type Approver,
  type Verdict,
} from './approval-policy.ts';
export { type Budget, type BudgetExceeded, BudgetExceededError } from './budget.ts';
export {
  type Carrier,
  enqueueTask,
  extractTask,
  type InjectOptions,
  injectTask,
} from './carrier.ts';
export { type CircuitBreakerOptions, CircuitOpenError } from './circuit-breaker.ts';
export {
  type Alternative,
  type Decision,
  decision,
  type Fallback,
  fallback,
  type Handoff,
  handoff,
} from './events.ts';
export type { Handle, RegisterOptions, Stats } from './node.ts';
export {
  type AgentOptions,
  agent,
  type ObservedKind,
  type ObserveOptions,
  observe,
} from './observe.ts';
export { type Outcome, outcome } from './outcome.ts';
export type { Price, PricedUsage } from './price.ts';
export { resumeTask } from './resume.ts';
export type { ContentLevel, Redact } from './runtime.ts';
export { type Schema, ToolInputError } from './schema.ts';
export { type ServerlessOptions, serverless } from './serverless.ts';
export { currentTask, type SuspendOptions, type Task, type TaskOptions, withTask } from './task.ts';
export type { Traffic } from './task-context.ts';
export { TaskLogProcessor, TaskSpanProcessor } from './task-processors.ts';
export { type Effect, type Tool, type ToolCallRef, type ToolOptions, tool } from './tool.ts';

/**
 * Starts the OpenTelemetry SDK and the capture of model calls; `await` it before the first task. The SDK is loaded here and
 * not before, so that libraries can use this package with the API alone. Without `await` (CommonJS, bundles):
 * `register` from `@plumbline/instrumentation/node` does the same at once.
 */
export async function register(options: RegisterOptions = {}): Promise<Handle> {
  // At once: a client that is made while the SDK loads keeps the fetch it finds.
  installFetch();
  const node = await import('./node.ts');
  return node.register(options);
}
