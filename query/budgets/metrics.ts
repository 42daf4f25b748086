import type { Store } from '../../store/connection.ts';
import type { Metric } from '../operations/metrics.ts';
import type { Budget } from './settings.ts';
import { type Spend, spendOf } from './spend.ts';

/** Keeps the spend of budgets for `/metrics`. */
export interface BudgetWatch {
  metrics(): readonly Metric[];
  close(): Promise<void>;
}

export interface BudgetWatchOptions {
  readonly store: Store;
  /** As of now: keys come and go. */
  readonly projects: () => readonly string[];
  readonly budgets: readonly Budget[];
  readonly now: () => Date;
  readonly report: (error: unknown) => void;
  readonly everyMs?: number;
}

/** Keys of a budget that `/metrics` shows: more would be series without end. */
const shownKeys = 20;

interface Known {
  readonly project: string;
  readonly budget: Budget;
  readonly spends: readonly Spend[];
}

/** Reads the spend of every budget once a minute. */
export function watchBudgets(options: BudgetWatchOptions): BudgetWatch {
  const { store, projects, budgets, now, report, everyMs = 60_000 } = options;
  let known: readonly Known[] = [];
  let closed = false;
  let running: Promise<void> | null = null;
  const refresh = async () => {
    const read: Known[] = [];
    for (const project of projects()) {
      for (const budget of budgets) {
        if (closed) return;
        read.push({
          project,
          budget,
          spends: await spendOf(store, project, budget, now(), shownKeys),
        });
      }
    }
    known = read;
  };
  const tick = () => {
    if (closed || running !== null || budgets.length === 0) return;
    running = refresh()
      .catch(report)
      .finally(() => {
        running = null;
      });
  };
  const timer = setInterval(tick, everyMs);
  timer.unref();
  tick();
  return {
    metrics: () => metricsOf(known),
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** Limits and spends in USD by project, budget and key. */
function metricsOf(known: readonly Known[]): Metric[] {
  const samples = (value: (spend: Spend, budget: Budget) => number | null) =>
    known.flatMap(({ project, budget, spends }) =>
      spends.map((spend) => ({
        labels: { project, budget: budget.name, key: spend.key },
        value: value(spend, budget),
      })),
    );
  const gauge = (name: string, help: string, value: Parameters<typeof samples>[0]): Metric => ({
    name: `plumbline_budget_${name}`,
    help,
    type: 'gauge',
    samples: samples(value),
  });
  if (known.length === 0) return [];
  return [
    gauge('limit_usd', 'What may be spent in the window of the budget.', (_s, b) => b.limit_usd),
    gauge(
      'spent_usd',
      'Known spend in the window; a lower bound where a model has no price.',
      (s) => s.spent_usd,
    ),
    gauge('used_ratio', 'Known spend as a part of the limit.', (s) => s.used_ratio),
    gauge(
      'spend_usd_per_hour',
      'Spend of the last hour, absent under the floor.',
      (s) => s.rate_usd_per_hour,
    ),
  ];
}
