import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { contentText, messagesContent, outline } from '../content.ts';
import { digest, promptFingerprint } from '../fingerprint.ts';
import { attempt } from '../guard.ts';
import { canonicalJson } from '../plain.ts';
import { contentLevel } from '../runtime.ts';
import type { ToolDefinition } from '../wire/message.ts';
import type { ModelRequest, ModelResponse, Wire } from '../wire/wire.ts';

/** Above this, hashing the whole request would stall the event loop: its length, head and tail, which grows, are hashed. */
const maxIdentityChars = 1_048_576;
const headChars = 65_536;
const cacheSize = 32;

type SetAttributes = (attributes: Attributes) => void;

/** Sets the request's attributes, as many of them as the content level allows. */
export function describeRequest(
  request: ModelRequest,
  { tools, fingerprint, names }: Toolset,
  body: string,
  set: SetAttributes,
): void {
  const level = contentLevel();
  attempt('call.describe', () => set(request.attributes));
  if (level === 'none') return;
  attempt('request.fingerprint', () => set(fingerprints(request, body)));
  const attribute = 'gen_ai.tool.definitions';
  const offered = {
    'agent.toolset.fingerprint': fingerprint,
    [attribute]: level === 'full' && fingerprint ? contentText(tools, attribute) : names,
  };
  attempt('request.tools', () => set(known(offered)));
  if (level === 'full') attempt('request.content', () => set(requestContent(request)));
}

/** The answer as attributes; below the full level the messages carry only what was called, not what was said. */
export function describeResponse(response: ModelResponse): Attributes {
  const level = contentLevel();
  if (level === 'none') return response.attributes;
  const { messages } = response;
  return {
    ...response.attributes,
    'agent.response.bytes': response.textBytes,
    ...(messages.length > 0 &&
      (level === 'full'
        ? messagesContent('gen_ai.output.messages', messages)
        : { 'gen_ai.output.messages': JSON.stringify(messages.map(outline)) })),
  };
}

function fingerprints(request: ModelRequest, body: string): Attributes {
  const identity =
    body.length > maxIdentityChars
      ? `${body.length} ${body.slice(0, headChars)}${body.slice(headChars - maxIdentityChars)}`
      : request.identity();
  const prompt = request.prompt();
  return known({
    'agent.request.hash': digest(identity),
    'agent.request.messages': request.messageCount(),
    'agent.request.bytes': Buffer.byteLength(body),
    'agent.prompt.fingerprint': prompt ? promptFingerprint(prompt) : undefined,
  });
}

function requestContent(request: ModelRequest): Attributes {
  const system = request.system();
  return {
    ...messagesContent('gen_ai.input.messages', request.messages()),
    ...(system.length > 0 &&
      known({
        'gen_ai.system_instructions': contentText(system, 'gen_ai.system_instructions'),
      })),
  };
}

/** The tools that a request offers, and what follows from them. */
export interface Toolset {
  readonly tools: readonly ToolDefinition[];
  readonly fingerprint: string | undefined;
  readonly names: string | undefined;
}

const none: Toolset = { tools: [], fingerprint: undefined, names: undefined };
const toolsets = new Map<string, Toolset>();

/** Agents offer the same tools on every call: they are read once. Kept by hash, since a text would keep its whole request. */
export function toolsetOf({ name }: Wire, { toolsWritten, tools }: ModelRequest): Toolset {
  if (toolsWritten === '') return none;
  const key = `${name} ${digest(toolsWritten)}`;
  const toolset = toolsets.get(key) ?? describeTools(tools());
  if (!toolsets.has(key) && toolsets.size >= cacheSize)
    toolsets.delete(toolsets.keys().next().value ?? '');
  toolsets.set(key, toolset);
  return toolset;
}

function describeTools(tools: readonly ToolDefinition[]): Toolset {
  if (tools.length === 0) return none;
  return {
    tools,
    fingerprint: digest(tools.map(canonicalJson).sort().join('\n')),
    names: JSON.stringify(tools.map(({ type, name }) => ({ type, name }))),
  };
}
