import type { Attribution } from './contrast.ts';
import type { ConfigKind } from './measures.ts';
import type { Signal } from './signals.ts';
import type { SuspectGroup } from './suspects.ts';

interface Told {
  readonly kind: ConfigKind;
  readonly value: string;
  readonly firstSeen: number;
  readonly verdict: Attribution;
  readonly confounded: readonly { readonly kind: ConfigKind; readonly value: string }[];
  readonly groups: {
    readonly new_after: SuspectGroup;
    readonly old_after: SuspectGroup;
    readonly old_before: SuspectGroup;
  };
}

const conclusions: Readonly<Record<Attribution, string>> = {
  cause: 'the old ones did not change, so it is the cause',
  external: 'the old ones changed as well, so the cause lies elsewhere',
  mixed: 'the old ones changed as well, so it is one of two causes',
  temporal_only: 'it replaced the old ones at once, so only the time speaks for it',
  inconclusive: 'neither difference is proven',
};

/** One sentence with the figures; values of prompts and releases are data and are quoted. */
export function contrastText(signal: Signal, told: Told): string {
  const { kind, value, firstSeen, verdict, groups, confounded } = told;
  const nameOf = (each: { kind: ConfigKind; value: string }) =>
    `${each.kind.replace('_', ' ')} ${JSON.stringify(each.value)}`;
  const name = [{ kind, value }, ...confounded].map(nameOf).join(' together with ');
  const since = `first seen ${new Date(firstSeen).toISOString().slice(0, 16)}Z`;
  const say = (group: SuspectGroup) => `${format(signal, group.value)} (${group.tasks} tasks)`;
  const against =
    verdict === 'temporal_only'
      ? `${say(groups.old_before)} before it`
      : `${say(groups.old_after)} without it at the same time and ${say(groups.old_before)} before`;
  if (signal.kind === 'mix') return `${name}, ${since}: ${signal.label}: ${conclusions[verdict]}`;
  return `${name}, ${since}: ${signal.label} ${say(groups.new_after)} with it against ${against}; ${conclusions[verdict]}`;
}

function format(signal: Signal, value: number | null): string {
  if (value === null) return 'unknown';
  switch (signal.kind) {
    case 'share':
    case 'call_share':
      return `${(value * 100).toFixed(1)} %`;
    case 'log':
      return signal.unit === 'usd' ? `$${value.toPrecision(3)}` : `${Math.round(value)} tokens`;
    case 'quantile':
      return `${Math.round(value)} ms`;
    case 'rank':
      return value.toFixed(1);
    case 'mix':
      return '';
  }
}
