import { agent, outcome, tool, withTask } from '@plumbline/instrumentation';
import type OpenAI from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { RUN_HEADER } from './recorded-model.ts';
import {
  type RecordedMessage,
  type RecordedRun,
  type RecordedTool,
  taskIdOf,
} from './recording.ts';

/**
 * Replays one recorded run as an agent would have run it: it asks the model, runs the tools that the model calls and
 * passes on what the customer says. Model, tools and customer answer what they answered in the recording.
 */
export async function replayRun(
  run: RecordedRun,
  tools: readonly RecordedTool[],
  client: OpenAI,
): Promise<number> {
  const id = taskIdOf(run);
  const options = { workflow: 'airline-support', id, agent: 'airline', sessionId: id };
  return await withTask(options, async () => {
    const calls = await agent({ name: 'airline' }, () => converse(run, tools, client));
    outcome({
      outcome: run.reward === 1 ? 'success' : 'failure',
      score: run.reward,
      source: 'evaluation',
      by: 'tau-bench',
    });
    return calls;
  });
}

async function converse(
  run: RecordedRun,
  tools: readonly RecordedTool[],
  client: OpenAI,
): Promise<number> {
  const messages: ChatCompletionMessageParam[] = [];
  let asked = 0;
  for (const [index, recorded] of run.traj.entries()) {
    switch (recorded.role) {
      case 'assistant': {
        const completion = await client.chat.completions.create(
          { model: 'gpt-4o', messages, tools: tools.map((each) => each) },
          { headers: { [RUN_HEADER]: taskIdOf(run) } },
        );
        const message = completion.choices[0]?.message;
        if (message === undefined) throw new Error(`${taskIdOf(run)}: no message ${index}`);
        messages.push(message);
        asked += 1;
        break;
      }
      case 'tool':
        messages.push(await runTool(messages.at(-1), recorded));
        break;
      case 'system':
      case 'user':
        messages.push({ role: recorded.role, content: recorded.content ?? '' });
        break;
      default:
        throw new Error(`${taskIdOf(run)}: a message of role ${recorded.role}`);
    }
  }
  return asked;
}

/** Runs what the model called, with what it called it with; the stub behind it answers as recorded. */
async function runTool(
  asked: ChatCompletionMessageParam | undefined,
  recorded: RecordedMessage,
): Promise<ChatCompletionMessageParam> {
  const call = asked?.role === 'assistant' ? asked.tool_calls?.[0] : undefined;
  if (call?.type !== 'function') throw new Error('a tool result without a call');
  const stub = tool({ name: call.function.name }, async (_args: unknown) => recorded.content ?? '');
  const content = await stub(JSON.parse(call.function.arguments));
  return { role: 'tool', tool_call_id: call.id, content };
}
