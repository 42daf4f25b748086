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

/** Writes events with pauses, so that a stream is one for its reader. */
export async function stream(response, frames, type = 'text/event-stream') {
  response.writeHead(200, { 'content-type': type });
  for (const frame of frames) {
    response.write(frame);
    await sleep(2);
  }
  response.end();
}

export const data = (value) => `data: ${JSON.stringify(value)}\n\n`;
export const event = (value) => `event: ${value.type}\n${data(value)}`;

export function calls(body, answered) {
  return Boolean(body.tools?.length) && !answered;
}
