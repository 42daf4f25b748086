/** Messages as the GenAI conventions of OpenTelemetry write them (`gen_ai.input.messages`, `gen_ai.output.messages`). */
export type Part =
  | { readonly type: 'text' | 'reasoning' | 'refusal'; readonly content: string }
  | {
      readonly type: 'tool_call';
      readonly id?: string | undefined;
      readonly name: string;
      readonly arguments: unknown;
    }
  | {
      readonly type: 'tool_call_response';
      readonly id?: string | undefined;
      readonly response: unknown;
      readonly is_error?: boolean;
    }
  /** Run by the provider, not by the application. */
  | {
      readonly type: 'server_tool_call';
      readonly id?: string | undefined;
      readonly name: string;
      readonly server_tool_call: unknown;
    }
  | {
      readonly type: 'server_tool_call_response';
      readonly id?: string | undefined;
      readonly server_tool_call_response: unknown;
    }
  | {
      readonly type: 'blob';
      readonly modality: string;
      readonly mime_type?: string;
      readonly content: string;
    }
  | { readonly type: 'uri'; readonly modality: string; readonly uri: string }
  | { readonly type: 'file'; readonly modality: string; readonly file_id: string }
  | { readonly type: 'generic'; readonly content: unknown };

export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly name?: string | undefined;
}

export interface OutputMessage extends Message {
  readonly finish_reason?: string | undefined;
}

/** What parts say in words. */
export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (part.type === 'text' ? part.content : '')).join('\n');
}

/** A tool as offered to the model. */
export interface ToolDefinition {
  readonly type: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly parameters?: unknown;
}
