import { openaiChat } from './openai-chat.ts';
import type { Wire } from './wire.ts';

const wires: readonly Wire[] = [openaiChat];

/** The wire format of a URL path, if it is a model call. */
export function wireFor(path: string): Wire | undefined {
  return wires.find((wire) => wire.matches(path));
}

const hosts: readonly (readonly [suffix: string, provider: string])[] = [
  ['api.openai.com', 'openai'],
  ['.openai.azure.com', 'azure.ai.openai'],
  ['.services.ai.azure.com', 'azure.ai.inference'],
  ['.models.ai.azure.com', 'azure.ai.inference'],
  ['api.anthropic.com', 'anthropic'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'],
  ['aiplatform.googleapis.com', 'gcp.vertex_ai'],
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
];

/** `gen_ai.provider.name` of a host; OpenAI-compatible servers that are not in the table count as the wire's own. */
export function providerOf(host: string, wire: Wire): string {
  const known = hosts.find(([suffix]) => host === suffix || host.endsWith(dotted(suffix)));
  return known?.[1] ?? wire.provider;
}

function dotted(suffix: string): string {
  return suffix.startsWith('.') ? suffix : `.${suffix}`;
}
