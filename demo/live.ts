import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import { serveTicket, type Waiting } from './agent.ts';
import type { Scenario } from './scenarios.ts';

/** How the live tasks went, seen from the agent's side. */
export interface LiveReport {
  readonly tasks: number;
  readonly crashed: readonly string[];
  readonly resumed: readonly string[];
}

/** Tickets served at once. */
const DESKS = 4;
/** How long the team lead takes to answer a request for approval. */
const THINKING_MS = 1_500;

/** Serves all tickets, a few at a time; tasks left waiting for a person are resumed at the end, in new traces. */
export async function serveAll(
  scenarios: readonly Scenario[],
  client: OpenAI,
  onServed: (served: number) => void,
): Promise<LiveReport> {
  const crashed: string[] = [];
  const waiting: Waiting[] = [];
  const queue = scenarios.values();
  let served = 0;
  const desk = async () => {
    for (const scenario of queue) {
      try {
        const left = await serveTicket(scenario, client);
        if (left !== undefined) waiting.push(left);
      } catch {
        // The task is reported as failed by then; the next customer is served all the same.
        crashed.push(scenario.id);
      }
      served += 1;
      onServed(served);
    }
  };
  await Promise.all(Array.from({ length: DESKS }, desk));
  if (waiting.length > 0) await sleep(THINKING_MS);
  for (const task of waiting) await task.resume(client);
  return { tasks: scenarios.length, crashed, resumed: waiting.map((task) => task.id) };
}
