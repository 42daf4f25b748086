import type { DerivedTask } from '../../store/derive/task.ts';
import { listPrice } from '../../store/prices/catalogue.ts';

/** USD of a task's model calls at list prices, and how many of them tell too little to have a price. */
export function costOf(task: DerivedTask): { readonly known: number; readonly unknown: number } {
  const costs = task['calls.kind'].flatMap((kind, i) =>
    kind === 'tool' ? [] : [callCost(task, i)],
  );
  return {
    known: costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0),
    unknown: costs.filter((cost) => cost === null).length,
  };
}

function callCost(task: DerivedTask, i: number): number | null {
  const count = (name: `calls.${Counted}`) => Number(task[name][i] ?? 0n);
  const input = task['calls.input_tokens'][i];
  const output = task['calls.output_tokens'][i];
  if (input === null && output === null) return null;
  const found = listPrice(task['calls.provider'][i] ?? '', task['calls.name'][i] ?? '');
  const tiers = found?.dated.at(-1)?.tiers;
  const tier = tiers?.findLast(([from]) => from <= (input ?? 0n));
  if (tier === undefined) return null;
  const read = count('calls.cache_read_tokens');
  const write = count('calls.cache_write_tokens');
  const hour = count('calls.cache_write_1h_tokens');
  const [, perInput, perOutput, perRead, perWrite, perHour] = tier;
  return (
    (count('calls.input_tokens') - read - write) * perInput +
    count('calls.output_tokens') * perOutput +
    read * perRead +
    (write - hour) * perWrite +
    hour * perHour
  );
}

type Counted =
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'cache_write_1h_tokens';
