import type { Attributes } from '@opentelemetry/api';
import type { RequestBody } from './body.ts';
import type { Json } from './json.ts';
import type { Message, OutputMessage, Part, ToolDefinition } from './message.ts';

/**
 * One provider API as it looks on the wire. Pure: from parsed JSON to values, no span, no clock. A new API is one more file
 * and one more entry in the registry.
 */
export interface Wire {
  readonly name: string;
  /** `gen_ai.operation.name` of its calls. */
  readonly operation: string;
  /** `gen_ai.provider.name` on hosts that the host table does not know. */
  readonly provider: string;
  readonly matches: (path: string) => boolean;
  /** Whether the body is such a call, for paths that an application's own servers may have too. */
  readonly accepts?: (body: RequestBody) => boolean;
  /** Some APIs name the model in the path. */
  readonly request: (body: RequestBody, path: string) => ModelRequest;
  readonly response: (body: Json) => ModelResponse;
  readonly stream: (limits: StreamLimits) => StreamAssembler;
  /** How a stream is framed: server-sent events, or one JSON value per line. */
  readonly framing?: 'sse' | 'lines';
  /** Bodies beyond this are not parsed whole. For answers that are long lists of numbers, slow to parse and of no interest. */
  readonly maxBodyBytes?: number;
}

export interface ModelRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  /** `gen_ai.request.*` and kin. */
  readonly attributes: Attributes;
  /** What is offered, as it was written; empty when nothing is. */
  readonly toolsWritten: string;
  // What follows is worked out on demand: only what the content level needs is paid for.
  readonly tools: () => readonly ToolDefinition[];
  /** The system prompt, for its fingerprint. */
  readonly prompt: () => string;
  readonly messageCount: () => number;
  /** What makes two requests the same attempt, independent of model and provider. */
  readonly identity: () => string;
  readonly messages: () => readonly Message[];
  /** Instructions that travel apart from the messages, where the API has them. */
  readonly system: () => readonly Part[];
}

export interface ModelResponse {
  /** `gen_ai.response.*`, `gen_ai.usage.*` and kin. */
  readonly attributes: Attributes;
  readonly messages: readonly OutputMessage[];
  /** UTF-8 bytes of the answer's text. */
  readonly textBytes: number;
  readonly calls: readonly ModelToolCall[];
  readonly error: ModelError | undefined;
}

export interface ModelToolCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: usually JSON. */
  readonly arguments: string;
}

export interface ModelError {
  readonly type: string | undefined;
  readonly message: string | undefined;
}

export interface StreamLimits {
  /** Text and arguments kept per stream, in characters; the rest is counted only. */
  readonly maxChars: number;
}

/** Puts a streamed answer together, one server-sent event at a time. */
export interface StreamAssembler {
  readonly push: (data: string) => void;
  /** Whether the terminal event was seen: what comes after it is not part of the answer. */
  readonly complete: () => boolean;
  readonly result: () => ModelResponse;
}
