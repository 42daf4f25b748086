import type { Rule } from './rule.ts';
import { blockedAction } from './rules/blocked-action.ts';
import { cacheChurn } from './rules/cache-churn.ts';
import { contextPressure } from './rules/context-pressure.ts';
import { costRunaway } from './rules/cost-runaway.ts';
import { deprecatedModel } from './rules/deprecated-model.ts';
import { duplicateSideEffect } from './rules/duplicate-side-effect.ts';
import { duplicateTask } from './rules/duplicate-task.ts';
import { emptyAnswer } from './rules/empty-answer.ts';
import { errorIgnored } from './rules/error-ignored.ts';
import { expectationViolated } from './rules/expectation-violated.ts';
import { hallucinatedTool } from './rules/hallucinated-tool.ts';
import { handoffFailed } from './rules/handoff-failed.ts';
import { humanWait } from './rules/human-wait.ts';
import { invalidArguments } from './rules/invalid-arguments.ts';
import { limitExceeded } from './rules/limit-exceeded.ts';
import { loop } from './rules/loop.ts';
import { modelSubstituted } from './rules/model-substituted.ts';
import { promptInjectionSuspect } from './rules/prompt-injection-suspect.ts';
import { providerFailover } from './rules/provider-failover.ts';
import { rateLimited } from './rules/rate-limited.ts';
import { refusal } from './rules/refusal.ts';
import { repeatedCall } from './rules/repeated-call.ts';
import { retryStorm } from './rules/retry-storm.ts';
import { silentToolFailure } from './rules/silent-tool-failure.ts';
import { toolCallAvalanche } from './rules/tool-call-avalanche.ts';
import { toolError } from './rules/tool-error.ts';
import { truncatedOutput } from './rules/truncated-output.ts';
import { unapprovedRiskyAction } from './rules/unapproved-risky-action.ts';
import { ungroundedArgument } from './rules/ungrounded-argument.ts';
import { unverifiedClaim } from './rules/unverified-claim.ts';

/** Every rule, one file each. */
export const rules: readonly Rule[] = [
  blockedAction,
  cacheChurn,
  contextPressure,
  costRunaway,
  deprecatedModel,
  duplicateSideEffect,
  duplicateTask,
  emptyAnswer,
  errorIgnored,
  expectationViolated,
  hallucinatedTool,
  handoffFailed,
  humanWait,
  invalidArguments,
  limitExceeded,
  loop,
  modelSubstituted,
  promptInjectionSuspect,
  providerFailover,
  rateLimited,
  refusal,
  repeatedCall,
  retryStorm,
  silentToolFailure,
  toolCallAvalanche,
  toolError,
  truncatedOutput,
  unapprovedRiskyAction,
  ungroundedArgument,
  unverifiedClaim,
];
