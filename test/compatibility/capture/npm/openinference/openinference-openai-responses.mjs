import { createRequire } from 'node:module';
import { OpenAIInstrumentation } from '@arizeai/openinference-instrumentation-openai';
import { openaiBase, request, responses, start } from './otel.mjs';

const instrumentation = new OpenAIInstrumentation();
const sdk = start([instrumentation]);
const { OpenAI } = createRequire(import.meta.url)('openai');
instrumentation.manuallyInstrument(OpenAI);
const client = new OpenAI({ baseURL: openaiBase });
await request(sdk, () => responses(client));
