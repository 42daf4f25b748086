import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Item } from './items.ts';
import { type Expected, expect } from './oracle.ts';
import type { PlannedTask } from './plan.ts';

/** What a store says after the readers' own deduplication. */
export interface Facts {
  readonly tasks: readonly (Omit<Expected, 'nano_usd'> & {
    readonly cost_usd: number | null;
    readonly unpriced: string | number;
  })[];
  readonly spans: readonly {
    readonly trace: string;
    readonly span: string;
    readonly copies: number;
    readonly complete: number;
  }[];
  readonly logs: readonly {
    readonly task: string;
    readonly state: string;
    readonly copies: number;
  }[];
  readonly points: readonly {
    readonly point: string;
    readonly copies: number;
    readonly value: number;
  }[];
}

/** The figures of the suite; all but the first must be 0. */
export interface Verdict {
  readonly spans: number;
  readonly lost: number;
  readonly doubled: number;
  readonly ghosts: number;
  readonly missing_tasks: number;
  readonly wrong_tasks: number;
  readonly cost_error_usd: number;
}

/** Of a scenario that cannot be run on this machine: why. */
export interface NotTested {
  readonly not_tested: string;
}

/** Where a store is. Embedded: no other process may have it open. */
export type Target = { readonly path: string } | { readonly url: string };

export function readFacts(target: Target): Promise<Facts> {
  const args = 'path' in target ? ['path', target.path] : ['url', target.url];
  const child = fork(fileURLToPath(new URL('./facts.ts', import.meta.url)), args, {
    execArgv: ['--conditions=app-source', '--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (facts) => resolve(facts as Facts));
    child.once('exit', (code) => reject(new Error(`reading the store ended with ${code}`)));
  });
}

/** Acknowledged items that the store does not have. */
export function lostOf(facts: Facts, acked: Iterable<Item>): string[] {
  const complete = new Map(facts.spans.map((row) => [`${row.trace} ${row.span}`, row.complete]));
  const logs = new Set(facts.logs.map((row) => `log ${row.task} ${row.state}`));
  const points = new Set(facts.points.map((row) => `point ${row.point}`));
  const isHere = ({ signal, key, partial }: Item) => {
    switch (signal) {
      case 'traces':
        return partial ? complete.has(key) : complete.get(key) === 1;
      case 'logs':
        return logs.has(key);
      case 'metrics':
        return points.has(key);
    }
  };
  const lost: string[] = [];
  for (const item of acked) if (!isHere(item)) lost.push(item.key);
  return lost;
}

/** Holds what the store says against the plan. `explain` gets the first violations. */
export function judge(
  facts: Facts,
  planned: readonly PlannedTask[],
  acked: Iterable<Item>,
  explain: (violation: string) => void,
): Verdict {
  const say = limited(explain, 12);
  const lost = lostOf(facts, acked);
  for (const key of lost) say(`acknowledged and lost: ${key}`);
  const values = new Map(planned.flatMap(({ points }) => points.map((p) => [p.key, p.value])));
  const doubled =
    facts.spans.filter(({ copies }) => copies !== 1).length +
    facts.logs.filter(({ copies }) => copies !== 1).length +
    facts.points.filter((row) => row.copies !== 1 || row.value !== values.get(row.point)).length;
  const expected = new Map(planned.map((task) => [task.id, { task, want: expect(task) }]));
  const seen = new Set<string>();
  let ghosts = 0;
  let wrong = 0;
  let error = 0;
  for (const row of facts.tasks) {
    const known = expected.get(row.task_id);
    if (known === undefined || seen.has(row.task_id)) {
      ghosts += 1;
      say(`ghost task ${JSON.stringify(row)}`);
      continue;
    }
    seen.add(row.task_id);
    const { nano_usd, ...want } = known.want;
    const differences = Object.entries(want).filter(
      ([name, value]) => row[name as keyof typeof want] !== value,
    );
    const off = Math.abs((row.cost_usd ?? Number.NaN) - nano_usd / 1e9);
    // Doubles: a sum of a task's calls is good to 1e-12 USD here.
    const unpriced = Number.isNaN(off) || Number(row.unpriced) > 0;
    if (unpriced || off > 1e-9) error += unpriced ? nano_usd / 1e9 : off;
    if (differences.length === 0 && !unpriced && off <= 1e-9) continue;
    wrong += 1;
    say(
      `task ${row.task_id} (${known.task.shape}): is ${JSON.stringify(row)}, should be ${JSON.stringify(known.want)}`,
    );
  }
  for (const { task, want } of expected.values()) {
    if (seen.has(task.id)) continue;
    error += want.nano_usd / 1e9;
    say(`no task ${task.id} (${task.shape})`);
  }
  return {
    spans: facts.spans.length,
    lost: lost.length,
    doubled,
    ghosts,
    missing_tasks: expected.size - seen.size,
    wrong_tasks: wrong,
    cost_error_usd: error,
  };
}

export function isClean({ spans, ...violations }: Verdict): boolean {
  return spans > 0 && Object.values(violations).every((count) => count === 0);
}

function limited(say: (text: string) => void, most: number): (text: string) => void {
  let said = 0;
  return (text) => {
    said += 1;
    if (said <= most) say(text);
  };
}
