import { createRequire } from 'node:module';
import { OpenAIInstrumentation } from '@opentelemetry/instrumentation-openai';
import { chat, openaiBase, request, start } from './otel.mjs';

const sdk = start([new OpenAIInstrumentation()]);
const { OpenAI } = createRequire(import.meta.url)('openai');
const client = new OpenAI({ baseURL: openaiBase });
await request(sdk, () => chat(client));
