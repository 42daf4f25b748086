import { boundedCache } from './bounded-cache.ts';
import type { Mapping } from './mapping.ts';

/** Kinds whose spans are calls of a model. */
export const modelKinds: ReadonlySet<string> = new Set(['llm', 'embedding', 'reranker']);

/** Guesses the provider from a model's name: its `vendor/` prefix or a known family; '' when neither tells. */
export function createProviderGuess(mapping: Mapping): (model: string) => string {
  const families = Object.entries(mapping.provider_of_model);
  return boundedCache((model) => {
    const name = model.toLowerCase();
    const slash = name.indexOf('/');
    const vendor = slash > 0 ? name.slice(0, slash) : '';
    const alias = Object.hasOwn(mapping.provider_aliases, vendor)
      ? mapping.provider_aliases[vendor]
      : undefined;
    const bare = name.slice(slash + 1);
    return alias ?? families.find(([prefix]) => bare.startsWith(prefix))?.[1] ?? '';
  });
}
