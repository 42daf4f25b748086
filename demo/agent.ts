import { setTimeout as sleep } from 'node:timers/promises';
import {
  approval,
  decision,
  handoff,
  outcome,
  resumeTask,
  agent as runAgent,
  type Task,
  withTask,
} from '@plumbline/instrumentation';
import type OpenAI from 'openai';
import type {
  ChatCompletionMessage,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
} from 'openai/resources/chat/completions';
import { MODEL, ticketPrompt } from './model.ts';
import type { Scenario } from './scenarios.ts';
import { offered, runTool } from './tools.ts';

type Agent = 'support' | 'refunds';
type Call = Extract<ChatCompletionMessageToolCall, { type: 'function' }>;
type Ended = 'answered' | 'handed_over' | 'waiting';

/** One customer's conversation: all that an agent needs to go on with it, also in another process. */
interface Conversation {
  readonly scenario: Scenario;
  readonly messages: ChatCompletionMessageParam[];
  /** Orders for which a person allowed a refund. It should be refunds, not orders: that is the bug of refund-1042. */
  readonly approved: Set<string>;
  /** The call that waits for a person, and under which id the person was asked. */
  waiting?: { readonly call: Call; readonly approvalId: string };
}

/** A task that waits for a person. `resume` goes on with it, in a trace of its own. */
export interface Waiting {
  readonly id: string;
  resume(client: OpenAI): Promise<void>;
}

const MAX_STEPS = 8;

const instructions: Readonly<Record<Agent, string>> = {
  support:
    'You are the support agent of an outdoor shop. Answer questions about orders from the tools only. Hand refunds over to the refunds agent and unhappy customers to a person.',
  refunds:
    'You are the refunds agent of an outdoor shop. Check the order and its owner before you refund. A damaged part is refunded at its list price. Never guess an amount.',
};

/** Serves one customer as one task. The answer is the task if it now waits for a person. */
export async function serveTicket(
  scenario: Scenario,
  client: OpenAI,
): Promise<Waiting | undefined> {
  const conversation: Conversation = {
    scenario,
    messages: [{ role: 'user', content: ticketPrompt(scenario.id) + scenario.question }],
    approved: new Set(),
  };
  const options = {
    workflow: 'support',
    id: scenario.id,
    agent: 'support',
    sessionId: scenario.session,
    userId: scenario.user,
    prompt: { name: 'support', version: 'v8' },
  };
  return await withTask(options, async (task) => {
    let ended = await converse('support', conversation, client);
    if (ended === 'handed_over') {
      handoff({ from: 'support', to: 'refunds', reason: 'the customer wants money back' });
      ended = await refunds(conversation, client);
    }
    if (ended === 'waiting') return wait(task, conversation);
    judge(scenario);
    return undefined;
  });
}

function refunds(conversation: Conversation, client: OpenAI): Promise<Ended> {
  return runAgent({ name: 'refunds' }, () => converse('refunds', conversation, client));
}

/** Talks with the model and runs its tools until it answers, hands over or needs a person. */
async function converse(agent: Agent, conversation: Conversation, client: OpenAI): Promise<Ended> {
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const message = await ask(agent, conversation, client);
    conversation.messages.push(message);
    const calls = message.tool_calls ?? [];
    if (calls.length === 0) return 'answered';
    for (const call of calls) {
      if (call.type !== 'function') continue;
      const permission = await permissionFor(call, conversation);
      if (permission === 'waiting') return 'waiting';
      await act(call, conversation, permission);
      if (call.function.name === 'route_request') return 'handed_over';
    }
  }
  throw new Error(`no answer after ${MAX_STEPS} steps`);
}

async function ask(
  agent: Agent,
  { scenario, messages }: Conversation,
  client: OpenAI,
): Promise<ChatCompletionMessage> {
  const request = {
    model: MODEL,
    messages: [{ role: 'system' as const, content: instructions[agent] }, ...messages],
    tools: offered(agent),
  };
  const completion = scenario.stream
    ? await client.chat.completions
        .stream({ ...request, stream_options: { include_usage: true } })
        .finalChatCompletion()
    : await client.chat.completions.create(request);
  const message = completion.choices[0]?.message;
  if (message === undefined) throw new Error('the model gave no choice');
  return message;
}

type Permission = 'granted' | 'denied' | 'waiting';

async function act(
  call: Call,
  { messages }: Conversation,
  permission: Permission = 'granted',
): Promise<void> {
  const content = permission === 'denied' ? 'Denied by dana: past 30 days.' : await resultOf(call);
  messages.push({ role: 'tool', tool_call_id: call.id, content });
}

async function resultOf({ id, function: { name, arguments: text } }: Call): Promise<string> {
  if (name === 'route_request') {
    decision({
      name: 'route',
      chosen: 'refunds',
      alternatives: [{ value: 'support' }, { value: 'human' }],
      reason: 'money is asked for',
      confidence: 0.9,
    });
  }
  try {
    const running = runTool(name, JSON.parse(text), { toolCallId: id });
    return running !== undefined
      ? JSON.stringify(await running)
      : `Error: there is no tool ${name}.`;
  } catch (error) {
    return `Error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Asks a person before money moves. `waiting`: the answer comes later, and the process lets go of the task. */
async function permissionFor(call: Call, conversation: Conversation): Promise<Permission> {
  const { scenario, approved } = conversation;
  const { order_id: order = '' } = JSON.parse(call.function.arguments) as { order_id?: string };
  if (call.function.name !== 'issue_refund' || approved.has(order)) return 'granted';
  const approvalId = approval.request({
    action: `issue_refund ${call.function.arguments}`,
    callId: call.id,
    risk: 'high',
  });
  if (scenario.approval === 'later') {
    conversation.waiting = { call, approvalId };
    return 'waiting';
  }
  await sleep(60);
  const status = scenario.approval === 'denied' ? 'denied' : 'approved';
  approval.decide(approvalId, { status, by: 'dana' });
  if (status === 'denied') return 'denied';
  approved.add(order);
  return 'granted';
}

function wait(task: Task, conversation: Conversation): Waiting {
  const { scenario, waiting } = conversation;
  const token = task.suspend({
    reason: 'a refund above $400 needs the team lead',
    approvalId: waiting?.approvalId,
  });
  return {
    id: scenario.id,
    resume: (client) =>
      resumeTask(token, async () => {
        if (waiting === undefined) return;
        approval.decide(waiting.approvalId, { status: 'approved', by: 'team lead' });
        await runAgent({ name: 'refunds' }, async () => {
          await act(waiting.call, conversation);
          await converse('refunds', conversation, client);
        });
        judge(scenario);
      }),
  };
}

function judge({ verdict }: Scenario): void {
  if (verdict !== undefined) outcome({ ...verdict, by: 'demo-grader' });
}
