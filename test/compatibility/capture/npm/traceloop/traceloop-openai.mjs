import { createRequire } from 'node:module';
import { OpenAIInstrumentation } from '@traceloop/instrumentation-openai';
import { chat, openaiBase, request, start } from './otel.mjs';

const sdk = start([new OpenAIInstrumentation({ enrichTokens: false })]);
const { OpenAI } = createRequire(import.meta.url)('openai');
const client = new OpenAI({ baseURL: openaiBase });
await request(sdk, () => chat(client));
