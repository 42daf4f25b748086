import { createRequire } from 'node:module';
import { AnthropicInstrumentation } from '@arizeai/openinference-instrumentation-anthropic';
import { llm, messages, request, start } from './otel.mjs';

// The SDK makes a span of its own: two spans for every call.
const instrumentation = new AnthropicInstrumentation();
const sdk = start([instrumentation]);
const module = createRequire(import.meta.url)('@anthropic-ai/sdk');
const Anthropic = module.default ?? module;
const client = new Anthropic({ baseURL: llm });
await request(sdk, () => messages(client));
