/** Token counts as an instrumentation reported them. */
export interface ReportedUsage {
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly total: bigint | null;
  /** Input that was neither read from nor written to the cache. */
  readonly uncached: bigint | null;
  readonly cacheRead: bigint | null;
  readonly cacheWrite: bigint | null;
  readonly cacheWrite1h: bigint | null;
  readonly reasoning: bigint | null;
}

/** Canonical counts: input includes cache reads and writes, output includes reasoning (the OTel definition). */
export interface Usage {
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly cacheRead: bigint | null;
  readonly cacheWrite: bigint | null;
  readonly cacheWrite1h: bigint | null;
  readonly reasoning: bigint | null;
  /** How the report counted: stated by the convention, or `inferred` from the numbers; empty without usage. */
  readonly semantics: '' | 'inclusive' | 'exclusive' | 'inferred';
}

type Counting = 'inclusive' | 'exclusive';

/** What the numbers themselves prove about the input; null when they prove nothing. */
function proven(usage: ReportedUsage, input: bigint, cache: bigint): Counting | null {
  const output = usage.output ?? 0n;
  const reasoning = usage.reasoning ?? 0n;
  if (usage.total !== null) {
    if (usage.total === input + cache + output) return 'exclusive';
    if (usage.total === input + output && cache <= input) return 'inclusive';
    if (usage.total === input + cache + output + reasoning) return 'exclusive';
  }
  if (usage.uncached !== null && usage.uncached === input) return 'exclusive';
  return cache > input ? 'exclusive' : null;
}

/**
 * Applies the token rules: a total, the uncached part or an impossible size proves what input includes, else the
 * convention's habit holds. Results satisfy input ≥ cache read + cache write and output ≥ reasoning.
 */
export function resolveUsage(usage: ReportedUsage, exclusiveByConvention: boolean): Usage {
  const { cacheRead, reasoning } = usage;
  const oneHour = usage.cacheWrite1h;
  const cacheWrite =
    oneHour !== null && (usage.cacheWrite === null || usage.cacheWrite < oneHour)
      ? oneHour
      : usage.cacheWrite;
  const cache = (cacheRead ?? 0n) + (cacheWrite ?? 0n);
  const habit: Counting = exclusiveByConvention ? 'exclusive' : 'inclusive';

  let { input, output } = usage;
  let semantics: Usage['semantics'] = input === null && output === null ? '' : habit;
  if (input !== null && cache > 0n) {
    const proof = proven(usage, input, cache);
    if (proof !== null && proof !== habit) semantics = 'inferred';
    if ((proof ?? habit) === 'exclusive') input += cache;
  }
  if (output !== null && reasoning !== null && reasoning > 0n) {
    const outside = usage.total === (input ?? 0n) + output + reasoning;
    if (outside || reasoning > output) {
      output += reasoning;
      semantics = 'inferred';
    }
  }
  return { input, output, cacheRead, cacheWrite, cacheWrite1h: oneHour, reasoning, semantics };
}
