import { attempt } from '../guard.ts';
import { subscribeAiSdk } from './ai-sdk.ts';
import { subscribeOpenAiAgents } from './openai-agents.ts';

/** Subscribes to what frameworks publish by themselves, loaded or not. Returns what ends it. */
export function subscribeAdapters(): () => void {
  const ends: (() => void)[] = [];
  for (const subscribe of [subscribeAiSdk, subscribeOpenAiAgents]) {
    attempt('adapters.subscribe', () => ends.push(subscribe()));
  }
  return () => {
    for (const end of ends) attempt('adapters.end', end);
  };
}
