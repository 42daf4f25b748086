import type { ChatMessage, Failure, Reply, Responder, Usage } from './llm.ts';
import type { Scenario, Turn } from './scenarios.ts';

/** Of the live tasks and of the history: one that its vendor has not announced to shut down, and that has a list price. */
export const MODEL = 'gpt-5.6-terra';

/** Said at the start of a customer's message: by it the script knows which conversation it is in. */
export const ticketPrompt = (id: string) => `Ticket ${id}: `;

/** As if a handbook of this many tokens were in every prompt: costs then look like those of a real agent. */
const HANDBOOK_TOKENS = 2_600;
const FIRST_TOKEN_MS = 25;
const TOKEN_MS = 0.4;
const RETRY_AFTER_MS = 120;

/**
 * A model that follows the scenarios. The step is the number of answers already in the conversation, so the server
 * keeps no state but the failures it still owes. Tokens are estimated at four bytes each.
 */
export function scriptedModel(scenarios: readonly Scenario[]): Responder {
  const byId = new Map(scenarios.map((scenario) => [scenario.id, scenario]));
  const served = new Map<Turn, number>();
  return (request) => {
    const scenario = byId.get(ticketOf(request.messages) ?? '');
    const step = request.messages.filter((message) => message.role === 'assistant').length;
    const turn = scenario && turnAt(scenario, step);
    if (scenario === undefined || turn === undefined) {
      return { status: 400, message: 'the script has no answer to this conversation' };
    }
    const failures = served.get(turn) ?? 0;
    if (turn.fail !== undefined && failures < turn.fail.times) {
      served.set(turn, failures + 1);
      return failureOf(turn.fail.status);
    }
    return replyOf(turn, `call_${scenario.id.replace('-', '')}_${step}`, request.messages);
  };
}

function ticketOf(messages: readonly ChatMessage[]): string | undefined {
  const text = messages.find((message) => message.role === 'user')?.content ?? '';
  return /^Ticket ([a-z]+-\d+): /.exec(text)?.[1];
}

/** The refunds agent goes on where support stopped: it sees support's answers in its own conversation. */
function turnAt(scenario: Scenario, step: number): Turn | undefined {
  return [...scenario.support, ...(scenario.refunds ?? [])][step];
}

function failureOf(status: 429 | 500): Failure {
  return status === 429
    ? { status, message: `Rate limit reached for ${MODEL}`, retryAfterMs: RETRY_AFTER_MS }
    : { status, message: 'The server had an error', retryAfterMs: RETRY_AFTER_MS / 4 };
}

function replyOf(turn: Turn, callId: string, messages: readonly ChatMessage[]): Reply {
  const content = turn.say ?? null;
  const calls = turn.call && [
    {
      id: callId,
      type: 'function' as const,
      function: { name: turn.call.tool, arguments: JSON.stringify(turn.call.args) },
    },
  ];
  const usage = usageOf(messages, (content ?? '') + JSON.stringify(calls ?? ''));
  return {
    message: calls ? { content, tool_calls: calls } : { content },
    finish_reason: calls ? 'tool_calls' : turn.cut ? 'length' : 'stop',
    usage,
    ttftMs: FIRST_TOKEN_MS,
    latencyMs: FIRST_TOKEN_MS + usage.output * TOKEN_MS,
  };
}

function usageOf(messages: readonly ChatMessage[], output: string): Usage {
  const input = HANDBOOK_TOKENS + tokensOf(JSON.stringify(messages));
  const cached = messages.length > 2 ? Math.floor(HANDBOOK_TOKENS / 128) * 128 : 0;
  return { input, cached, output: tokensOf(output), reasoning: 0 };
}

function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}
