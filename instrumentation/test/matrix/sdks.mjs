import { agents, aiSdk, langchain, langgraph } from './frameworks.mjs';
import {
  anthropic,
  azure,
  cohere,
  gemini,
  groq,
  mistral,
  ollama,
  openai,
  openrouter,
  together,
} from './providers.mjs';

/** Our own calls, whose records must find the logs API of either line of OpenTelemetry. */
async function plumbline({ use }) {
  const { withTask } = await use('@plumbline/instrumentation');
  return { task: () => withTask({ workflow: 'matrix', id: 'task-1' }, async () => 'result') };
}

/** By name: what makes the shapes. */
export const sdks = {
  'openai 4': openai('openai-4', 4),
  'openai 5': openai('openai-5', 5),
  'openai 6': openai('openai', 6),
  'openai 7': openai('openai-7', 7),
  'azure openai (openai 6)': azure,
  'anthropic 0.60': anthropic('anthropic-0'),
  'anthropic 1': anthropic('@anthropic-ai/sdk'),
  'ai 5': aiSdk('ai-5', 'ai-sdk-openai-2'),
  'ai 6': aiSdk('ai-6', 'ai-sdk-openai-3'),
  'ai 7': aiSdk('ai', '@ai-sdk/openai'),
  '@openai/agents 0.20': agents,
  '@langchain/openai 1': langchain,
  '@langchain/langgraph 1': langgraph,
  '@google/genai 1': gemini('genai-1'),
  '@google/genai 3': gemini('@google/genai'),
  '@mistralai/mistralai 1': mistral('mistralai-1'),
  '@mistralai/mistralai 2': mistral('@mistralai/mistralai'),
  'groq-sdk 1': groq,
  'together-ai 0.52': together,
  '@openrouter/sdk 1': openrouter,
  'cohere-ai 8': cohere,
  'ollama 0.6': ollama,
  plumbline,
};
