import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ChatCompletionFunctionTool } from 'openai/resources/chat/completions';
import { describe, expect, it } from 'vitest';
import type { ChatMessage, Reply } from './llm.ts';
import { MODEL, scriptedModel, ticketPrompt } from './model.ts';
import { type Scenario, SHOWN_TASK, scenarios } from './scenarios.ts';
import { offered } from './tools.ts';

const ajv = new Ajv2020({ strict: false, formats: { email: true } });

/** All that the model says to a scenario, asked as the agent asks: with everything said before. */
function answersTo(scenario: Scenario): Reply[] {
  const model = scriptedModel(scenarios);
  const messages: ChatMessage[] = [
    { role: 'system', content: 'You are an agent.' },
    { role: 'user', content: ticketPrompt(scenario.id) + scenario.question },
  ];
  const answers: Reply[] = [];
  for (;;) {
    const answer = model({ model: MODEL, messages }, {});
    if ('status' in answer) {
      if (answer.status === 400) return answers;
      continue;
    }
    answers.push(answer);
    messages.push({ role: 'assistant', ...answer.message }, { role: 'tool', content: '{}' });
  }
}

function valid(agent: 'support' | 'refunds', reply: Reply): boolean {
  const [call] = reply.message.tool_calls ?? [];
  if (call === undefined) return true;
  const tool = (offered(agent) as ChatCompletionFunctionTool[]).find(
    (each) => each.function.name === call.function.name,
  );
  return tool?.function.parameters !== undefined
    ? ajv.validate(tool.function.parameters, JSON.parse(call.function.arguments))
    : false;
}

describe('the live scenarios of the demo', () => {
  it('are 40 with ids of their own, with the one that is shown and the one that is suspended', () => {
    const ids = scenarios.map((scenario) => scenario.id);
    expect(new Set(ids).size).toBe(40);
    expect(ids).toContain(SHOWN_TASK);
    expect(scenarios.filter((each) => each.approval === 'later')).toHaveLength(1);
  });

  it('end in an answer, each of them', () => {
    for (const scenario of scenarios) {
      const last = answersTo(scenario).at(-1);
      const crashes = scenario.support.some((turn) => (turn.fail?.times ?? 0) > 2);
      expect(last?.message.tool_calls === undefined, scenario.id).toBe(!crashes);
    }
  });

  it('call only what is offered, with arguments that fit its schema; one invents a tool', () => {
    const invented = scenarios.filter((scenario) => {
      const answers = answersTo(scenario);
      const support = scenario.support.length;
      return !answers.every((answer, n) => valid(n < support ? 'support' : 'refunds', answer));
    });
    expect(invented.map((scenario) => scenario.id)).toEqual(['cancel-1091']);
  });

  it('cover failures of the model, of tools, of approval and of the answer', () => {
    const turns = scenarios.flatMap((each) => [...each.support, ...(each.refunds ?? [])]);
    expect(new Set(turns.flatMap((turn) => turn.fail?.status ?? []))).toEqual(new Set([429, 500]));
    expect(turns.some((turn) => turn.cut)).toBe(true);
    expect(new Set(scenarios.flatMap((each) => each.approval ?? []))).toEqual(
      new Set(['granted', 'denied', 'later']),
    );
    expect(scenarios.filter((each) => each.verdict?.outcome === 'failure')).toHaveLength(7);
  });

  it('are refused, not answered at random, when a conversation is not in the script', () => {
    const messages = [{ role: 'user', content: 'Ticket nobody-1: hello' }];
    expect(scriptedModel(scenarios)({ model: MODEL, messages }, {})).toMatchObject({
      status: 400,
    });
  });
});
