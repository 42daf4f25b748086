import { anthropicMessages } from './anthropic.ts';
import { cohereChat } from './cohere.ts';
import { cohereEmbed, geminiEmbed, ollamaEmbed, openaiEmbeddings } from './embeddings.ts';
import { geminiGenerateContent } from './gemini.ts';
import { ollamaChat } from './ollama.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import type { Wire } from './wire.ts';

const wires: readonly Wire[] = [
  openaiChat,
  openaiResponses,
  anthropicMessages,
  geminiGenerateContent,
  cohereChat,
  ollamaChat,
  openaiEmbeddings,
  cohereEmbed,
  ollamaEmbed,
  geminiEmbed,
];

/** The wire format of a URL path, if it is a model call. */
export function wireFor(path: string): Wire | undefined {
  return wires.find((wire) => wire.matches(path));
}

const hosts: readonly (readonly [suffix: string, provider: string])[] = [
  ['api.openai.com', 'openai'],
  ['.openai.azure.com', 'azure.ai.openai'],
  ['.services.ai.azure.com', 'azure.ai.inference'],
  ['.cognitiveservices.azure.com', 'azure.ai.openai'],
  ['.models.ai.azure.com', 'azure.ai.inference'],
  ['api.anthropic.com', 'anthropic'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'],
  ['aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['-aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['api.mistral.ai', 'mistral_ai'],
  ['api.groq.com', 'groq'],
  ['api.deepseek.com', 'deepseek'],
  ['api.x.ai', 'x_ai'],
  ['api.perplexity.ai', 'perplexity'],
  ['api.cohere.com', 'cohere'],
  ['api.cohere.ai', 'cohere'],
  ['api.moonshot.ai', 'moonshot_ai'],
  ['api.moonshot.cn', 'moonshot_ai'],
  ['openrouter.ai', 'openrouter'],
  ['api.together.xyz', 'together_ai'],
  ['api.fireworks.ai', 'fireworks'],
  ['api.cerebras.ai', 'cerebras'],
  ['api.together.ai', 'together_ai'],
  ['router.huggingface.co', 'huggingface'],
  ['integrate.api.nvidia.com', 'nvidia'],
  ['api.sambanova.ai', 'sambanova'],
  ['dashscope.aliyuncs.com', 'alibaba_cloud'],
  ['dashscope-intl.aliyuncs.com', 'alibaba_cloud'],
  ['api.z.ai', 'z_ai'],
  ['ollama.com', 'ollama'],
];

/** `gen_ai.provider.name` of a host; OpenAI-compatible servers that are not in the table count as the wire's own. */
export function providerOf(host: string, wire: Wire): string {
  const known = hosts.find(([suffix]) => host.endsWith(suffix) && borders(host, suffix));
  return known?.[1] ?? wire.provider;
}

/** Whether what ends in the suffix is it, or a name below it. */
function borders(host: string, suffix: string): boolean {
  const before = host[host.length - suffix.length - 1];
  return before === undefined || before === '.' || /^[.-]/.test(suffix);
}
