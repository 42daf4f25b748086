/** Streams as each provider sends them, with what a wire must make of them. Texts are multibyte, so that any cut hurts. */
export interface ProviderStream {
  readonly provider: string;
  readonly path: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly said: string;
  readonly thought: string;
  readonly calls: readonly { id: string; name: string; arguments: string }[];
  readonly error?: { readonly type: string | undefined; readonly message: string };
}

export const sse = (...events: (object | string)[]): string =>
  events
    .map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
    .join('');
interface TypedEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}
export const typed = (...events: TypedEvent[]): string =>
  events.map((event) => `event: ${event.type}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`).join('');
export const weather = '{"city":"Zürich","unit":"°C"}';
