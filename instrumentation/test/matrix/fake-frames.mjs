// What the answers of all providers are made of.
import { setTimeout as sleep } from 'node:timers/promises';

export const text = 'It is sunny.';
export const args = { city: 'Paris' };
export const openaiUsage = {
  prompt_tokens: 120,
  completion_tokens: 25,
  total_tokens: 145,
  prompt_tokens_details: { cached_tokens: 64 },
  completion_tokens_details: { reasoning_tokens: 8 },
};

/** Writes events with pauses, so that a stream is one for its reader. `response.cut`: the connection breaks after two. */
export async function stream(response, frames, type = 'text/event-stream') {
  response.writeHead(200, { 'content-type': type });
  for (const frame of response.cut ? frames.slice(0, 2) : frames) {
    response.write(frame);
    await sleep(2);
  }
  if (response.cut) response.destroy();
  else response.end();
}

export const data = (value) => `data: ${JSON.stringify(value)}\n\n`;
export const event = (value) => `event: ${value.type}\n${data(value)}`;

/** Whether the model calls the tool: when it is offered and has not run. */
export function calls(seen, answered) {
  seen.called = Boolean(seen.body.tools?.length) && !answered;
  return seen.called;
}
