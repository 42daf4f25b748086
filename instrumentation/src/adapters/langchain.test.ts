// biome-ignore-all lint/correctness/noUndeclaredDependencies: the SDKs that are tested with are those of the repository.

import * as langchainContext from '@langchain/core/context';
import { tool } from '@langchain/core/tools';
import { createReactAgent } from '@langchain/langgraph/prebuilt';
import { ChatOpenAI } from '@langchain/openai';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { type FakeLlm, startFakeLlm } from '../../test/fake-llm.ts';
import { type Recorder, record } from '../../test/recorder.ts';
import { withTask } from '../task.ts';
import { langchainHandler, observeLangChain } from './langchain.ts';

let recorder: Recorder;
let llm: FakeLlm;
beforeEach(async () => {
  llm = await startFakeLlm();
  recorder = record();
});
afterEach(async () => {
  await recorder.handle.shutdown();
  await llm.close();
});

const schema = z.object({ city: z.string() });
const named = { name: 'get_weather', description: 'd', schema };
const weather = tool(async ({ city }) => `sunny in ${city}`, named);
const model = () =>
  new ChatOpenAI({ apiKey: 'k', model: 'gpt-x', configuration: { baseURL: `${llm.url}/v1` } });

const told = {
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.call.id': 'call_1',
  'agent.tool.result.shape': 'string',
  'agent.tool.result.bytes': 14,
  'agent.tool.result.error_like': false,
};

it('tells of the tools of a LangGraph agent, each once, with the call that it answers', async () => {
  observeLangChain(langchainContext);
  const agent = createReactAgent({ llm: model(), tools: [weather] });
  const messages = [{ role: 'user', content: 'Weather?' }];
  await withTask({ workflow: 'w', id: 't' }, () => agent.invoke({ messages }));
  const { attributes } = recorder.span('execute_tool get_weather');
  expect(attributes).toMatchObject({ ...told, 'agent.task.id': 't' });
  expect(attributes['agent.tool.inferred']).toBeUndefined();
});

it('tells of a tool that throws, which still throws', async () => {
  const broken = tool(
    async () => {
      throw new Error('no such city');
    },
    { ...named, name: 'broken' },
  );
  const run = broken.invoke({ city: 'Paris' }, { callbacks: [langchainHandler()] });
  await expect(run).rejects.toThrow('no such city');
  expect(recorder.span('execute_tool broken').status.code).toBe(2);
});
