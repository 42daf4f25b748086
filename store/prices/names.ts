/**
 * Names of providers as telemetry spells them → ids of the catalogue. The catalogue itself knows `openai*`, `*google*`,
 * `*bedrock*`, `mistral*` and the like; these are the names it does not. `null`: runs on one's own machines, so no
 * list price applies.
 */
const PROVIDERS: ReadonlyMap<string, string | null> = new Map([
  ['x_ai', 'x-ai'],
  ['gcp.gen_ai', 'google'],
  ['gcp.gemini', 'google'],
  ['gcp.vertex_ai', 'google'],
  ['azure.ai.inference', 'azure'],
  ['az.ai.inference', 'azure'],
  ['azure.ai.openai', 'azure'],
  ['az.ai.openai', 'azure'],
  ['azure_openai', 'azure'],
  ['azure_ai', 'azure'],
  ['fireworks_ai', 'fireworks'],
  ['fireworks-ai', 'fireworks'],
  ['moonshot_ai', 'moonshotai'],
  ['together_ai', 'together'],
  ['github', 'github-copilot'],
  ['ollama', null],
  ['vllm', null],
  ['lm_studio', null],
  ['lmstudio', null],
  ['llama.cpp', null],
  ['llamacpp', null],
  ['local', null],
]);

/** The catalogue's id of a provider, the name itself when it has no alias, null when nobody bills for it. */
export function providerId(name: string): string | null {
  const key = name.trim().toLowerCase();
  const alias = PROVIDERS.get(key);
  return alias === undefined ? key : alias;
}

/** A spelling of a model to look up, and the vendor that its prefix names. */
export interface Spelling {
  readonly vendor: string;
  readonly model: string;
}

// gpt-4o-2024-08-06, claude-sonnet-4-5-20250929, claude-sonnet-4-5@20250929
const SNAPSHOT = /[-@](?:20\d{2}-[01]\d-[0-3]\d|20\d{2}[01]\d[0-3]\d)$/;

/**
 * A model's spellings, best first: as it is, without `vendor/`, without a snapshot's date. A dated snapshot that has its
 * own price is found by the earlier spellings; a newer one has the price of its model.
 */
export function spellings(model: string): Spelling[] {
  const name = model.trim();
  const slash = name.lastIndexOf('/');
  const vendor = slash < 0 ? '' : vendorOf(name.slice(0, slash));
  const bare = name.slice(slash + 1);
  const found = [
    { vendor: '', model: name },
    { vendor, model: bare },
    { vendor, model: bare.replace(SNAPSHOT, '') },
  ];
  return found.filter(
    (one, i) => one.model !== '' && found.findIndex((other) => other.model === one.model) === i,
  );
}

/** `openrouter/anthropic` → anthropic, `publishers/google/models` → google, `models` → ''. */
function vendorOf(prefix: string): string {
  const parts = prefix.split('/').filter((part) => part !== 'models' && part !== 'publishers');
  return parts.at(-1) ?? '';
}
