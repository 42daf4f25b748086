import type { Rule } from './rule.ts';
import { blockedAction } from './rules/blocked-action.ts';
import { duplicateSideEffect } from './rules/duplicate-side-effect.ts';
import { emptyAnswer } from './rules/empty-answer.ts';
import { errorIgnored } from './rules/error-ignored.ts';
import { hallucinatedTool } from './rules/hallucinated-tool.ts';
import { handoffFailed } from './rules/handoff-failed.ts';
import { invalidArguments } from './rules/invalid-arguments.ts';
import { limitExceeded } from './rules/limit-exceeded.ts';
import { loop } from './rules/loop.ts';
import { modelSubstituted } from './rules/model-substituted.ts';
import { refusal } from './rules/refusal.ts';
import { repeatedCall } from './rules/repeated-call.ts';
import { retryStorm } from './rules/retry-storm.ts';
import { silentToolFailure } from './rules/silent-tool-failure.ts';
import { toolCallAvalanche } from './rules/tool-call-avalanche.ts';
import { toolError } from './rules/tool-error.ts';
import { truncatedOutput } from './rules/truncated-output.ts';
import { unapprovedRiskyAction } from './rules/unapproved-risky-action.ts';
import { ungroundedArgument } from './rules/ungrounded-argument.ts';

/** Every rule, one file each. */
export const rules: readonly Rule[] = [
  blockedAction,
  duplicateSideEffect,
  emptyAnswer,
  errorIgnored,
  hallucinatedTool,
  handoffFailed,
  invalidArguments,
  limitExceeded,
  loop,
  modelSubstituted,
  refusal,
  repeatedCall,
  retryStorm,
  silentToolFailure,
  toolCallAvalanche,
  toolError,
  truncatedOutput,
  unapprovedRiskyAction,
  ungroundedArgument,
];
