// biome-ignore-all lint/correctness/noUndeclaredDependencies: the SDKs that are tested with are those of the repository.

import { createOpenAI } from '@ai-sdk/openai';
import { OpenTelemetry } from '@ai-sdk/otel';
import { generateText, isStepCount, registerTelemetry, streamText, tool } from 'ai';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type FakeLlm, startFakeLlm } from '../../test/fake-llm.ts';
import { type Recorder, record } from '../../test/recorder.ts';
import { withTask } from '../task.ts';

// The AI SDK opens the spans itself here: they are completed, and no second one is opened. Anthropic's are in the matrix.

let recorder: Recorder;
let llm: FakeLlm;
const integrations = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: unknown };
beforeAll(async () => {
  llm = await startFakeLlm();
  // It keeps the tracer that it finds first.
  recorder = record();
  registerTelemetry(new OpenTelemetry());
});
afterEach(() => recorder.clear());
afterAll(async () => {
  await recorder.handle.shutdown();
  delete integrations.AI_SDK_TELEMETRY_INTEGRATIONS;
  await llm.close();
});

const get_weather = tool({
  description: 'd',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const ask = () => ({
  model: createOpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` }).chat('gpt-x'),
  prompt: 'Weather in Paris?',
  tools: { get_weather },
  stopWhen: isStepCount(3),
});
const of = (operation: string) =>
  recorder.spans().filter(({ attributes }) => attributes['gen_ai.operation.name'] === operation);

it('completes the model and tool spans of generateText', async () => {
  const { text } = await withTask({ workflow: 'w', id: 't' }, () => generateText(ask()));
  expect(text).toBe('It is sunny.');
  const models = of('chat');
  expect(models).toHaveLength(2);
  for (const { attributes, instrumentationScope } of models) {
    expect(instrumentationScope.name).not.toBe('@plumbline/instrumentation');
    expect(attributes).toMatchObject({
      'agent.task.id': 't',
      'agent.request.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      'agent.toolset.fingerprint': expect.stringMatching(/^[0-9a-f]{16}$/),
      'agent.iteration': expect.any(Number),
      'gen_ai.usage.reasoning.output_tokens': 8,
      'http.response.status_code': 200,
    });
  }
  const [ran, another] = of('execute_tool');
  expect(another).toBeUndefined();
  expect(ran?.instrumentationScope.name).not.toBe('@plumbline/instrumentation');
  expect(ran?.attributes).toMatchObject({
    'agent.task.id': 't',
    'agent.tool.arguments.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
    'agent.tool.result.bytes': 14,
    'agent.tool.result.error_like': false,
  });
});

it('completes those of streamText', async () => {
  await withTask({ workflow: 'w', id: 't' }, () => streamText(ask()).text);
  expect(of('chat')).toHaveLength(2);
  for (const { attributes } of of('chat')) {
    expect(attributes['agent.request.hash']).toBeDefined();
    expect(attributes['gen_ai.response.time_to_first_chunk']).toBeGreaterThan(0);
  }
  expect(of('execute_tool')).toHaveLength(1);
});
