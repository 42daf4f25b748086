/** The parts of `GET /api/v1/costs?group_by=workflow` that are shown. Money in USD, null = unknown. */
export interface Costs {
  readonly groups: readonly {
    readonly key: Readonly<Record<string, string | null>>;
    readonly cost_usd: number | null;
    readonly cost_per_success_usd: number | null;
    readonly wasted_usd: number;
  }[];
}

/** The parts of `GET /api/v1/slos/{name}/burn` that are shown. */
export interface Burn {
  readonly slo: { readonly name: string; readonly target: number | null };
  readonly workflows: readonly {
    readonly workflow: string | null;
    readonly state: string;
    readonly budget_left_ratio: number | null;
    readonly exhaustion_days?: number | null;
    readonly policies: readonly {
      readonly long_window: string;
      readonly factor_effective?: number;
      readonly burn_long?: number | null;
      readonly margin: number | null;
    }[];
  }[];
}

/** The parts of `GET /api/v1/drift` that are shown. */
export interface Drift {
  readonly signals: readonly {
    readonly signal: string;
    readonly workflow: string | null;
    readonly verdict: string;
    readonly reference_value: number | null;
    readonly current_value: number | null;
    readonly q: number | null;
    readonly began_at: string | null;
    readonly began_at_low: string | null;
    readonly began_at_high: string | null;
    readonly suspects: readonly {
      readonly kind: string;
      readonly value: string;
      readonly verdict: string;
    }[];
  }[];
}

/** What a successful task of a workflow costs, failed ones paid for. `targetUsd` is the objective. */
export function costLine(costs: Costs, workflow: string, targetUsd: number): string {
  const group = costs.groups.find((each) => each.key['workflow'] === workflow);
  const unit = group?.cost_per_success_usd ?? null;
  const share = group?.cost_usd ? group.wasted_usd / group.cost_usd : null;
  return [
    `cost per successful task   ${unit === null ? 'unknown' : dollars(unit)}`,
    `(${share === null ? 'unknown' : percent(share)} of spend went to failed tasks)`,
    `target ${dollars(targetUsd)}`,
  ].join('   ');
}

/** The window of a workflow that burns fastest for its own limit, and what is left of the budget. */
export function sloLine({ slo, workflows }: Burn, workflow: string): string {
  const name = `SLO ${slo.name}${slo.target === null ? '' : ` ${percent(slo.target)}`}`;
  const entry = workflows.find((each) => each.workflow === workflow);
  if (entry === undefined || entry.state === 'no_data') return `${name}   no data`;
  const [worst] = [...entry.policies].sort((a, b) => (b.margin ?? 0) - (a.margin ?? 0));
  const burn =
    worst?.burn_long === undefined || worst.burn_long === null
      ? 'burn unknown'
      : `burn ${worst.long_window} ${worst.burn_long.toFixed(1)} (fires at ${worst.factor_effective?.toFixed(1)})`;
  return [`${name}   ${burn}`, budgetText(entry), `state ${entry.state}`].join('   ');
}

function budgetText(entry: Burn['workflows'][number]): string {
  const { budget_left_ratio: left, exhaustion_days: days } = entry;
  if (left === null) return 'budget unknown';
  if (left <= 0) return `budget spent ${(1 - left).toFixed(1)} times`;
  const end = days === null || days === undefined ? '' : `   exhausted in ${Math.round(days)} d`;
  return `budget left ${percent(left)}${end}`;
}

/** Since when success drifted, by how much, how sure that is, and what caused it. */
export function driftLine(drift: Drift, workflow: string): string {
  const signal = drift.signals.find(
    (each) => each.signal === 'success_rate' && each.workflow === workflow,
  );
  if (signal === undefined) return 'drift   no data';
  const { reference_value: from, current_value: to, q } = signal;
  const change =
    from === null || to === null ? 'success unknown' : `success ${percent(from)} → ${percent(to)}`;
  if (signal.verdict !== 'drift' && signal.verdict !== 'warn') {
    return `drift   none (${signal.verdict})   ${change}`;
  }
  const cause = signal.suspects.find((suspect) => suspect.verdict === 'cause');
  return [
    `drift${sinceText(signal)}`,
    change,
    `q ${q === null ? 'unknown' : q < 0.001 ? '< 0.001' : `= ${q.toFixed(3)}`}`,
    cause
      ? `cause: ${cause.kind} ${cause.value} (new vs old at the same time)`
      : 'cause: none found',
  ].join('   ');
}

function sinceText(signal: Drift['signals'][number]): string {
  const { began_at: at, began_at_low: low, began_at_high: high } = signal;
  if (at === null) return '';
  const day = new Date(at).toLocaleDateString('en', { weekday: 'short', timeZone: 'UTC' });
  const time = new Date(at).toISOString().slice(11, 16);
  if (low === null || high === null) return `  since ${day} ${time} UTC`;
  const hours = Math.max(1, Math.round((Date.parse(high) - Date.parse(low)) / 7_200_000));
  return `  since ${day} ${time} UTC ±${hours} h`;
}

/** Where to look further, and how to send from an agent of one's own. */
export function nextLines(urls: { otlp: string; api: string }, task: string): string[] {
  return [
    `your own agent:  OTEL_EXPORTER_OTLP_ENDPOINT=${urls.otlp}  node --import @plumbline/instrumentation/register app.js`,
    `any task:  npm run why -- ${task}      failed ones: ${urls.api}/api/v1/tasks?outcome=failure`,
    `more:  ${urls.api}/api/v1/tasks/${task}/decisions   ${urls.api}/api/v1/drift   ${urls.api}/openapi.json`,
    'Ctrl-C stops',
  ];
}

/** `[#####·····] 1,500 of 3,000` */
export function progressText(done: number, total: number): string {
  const filled = total === 0 ? 20 : Math.round((done / total) * 20);
  const bar = '#'.repeat(filled) + '·'.repeat(20 - filled);
  return `[${bar}] ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`;
}

function dollars(usd: number): string {
  return `$${usd.toFixed(usd < 1 ? 3 : 2)}`;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
