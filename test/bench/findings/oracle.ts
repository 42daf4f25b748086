import { Ajv } from 'ajv';
import { fixture, type RecordedRun } from '../../decisions/recorded-run.ts';

// What is true of a recorded run, read off its file by code that shares nothing with the rules.

interface Made {
  readonly decision: number;
  readonly name: string;
  readonly args: string;
  readonly result: string;
}

const offered = fixture<{ function: { name: string; parameters: object } }[]>('tools.json');
const ajv = new Ajv({ strict: false });
const validators = new Map(
  offered.map(({ function: own }) => [own.name, ajv.compile(own.parameters)]),
);

function callsOf({ traj }: RecordedRun): Made[] {
  const made: Made[] = [];
  let decision = -1;
  for (const [at, { role, tool_calls }] of traj.entries()) {
    if (role !== 'assistant') continue;
    decision++;
    for (const { function: own } of tool_calls ?? [])
      made.push({
        decision,
        name: own.name,
        args: JSON.stringify(sorted(JSON.parse(own.arguments))),
        result: traj[at + 1]?.role === 'tool' ? (traj[at + 1]?.content ?? '') : '',
      });
  }
  return made;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, own]): [string, unknown] => [key, sorted(own)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

const isError = ({ result }: Made) => result.startsWith('Error');
const isWrite = ({ name }: Made) => /^(book|update|cancel|send)_/.test(name);

function seenBefore(made: readonly Made[], at: number, key: (call: Made) => string): number {
  const own = made[at];
  return own === undefined ? 0 : made.slice(0, at).filter((call) => key(call) === key(own)).length;
}

const triple = ({ name, args, result }: Made) => JSON.stringify([name, args, result]);

function loops(made: readonly Made[]): number[] {
  const third = made.flatMap((call, at) =>
    call.name !== 'think' && seenBefore(made, at, triple) === 2 ? [call.decision] : [],
  );
  const pairs = made
    .filter(({ name }) => !['think', 'calculate'].includes(name))
    .flatMap((call, at, all) => {
      const last = all.slice(at - 5, at + 1).map(({ name, args }) => name + args);
      const [a, b] = last;
      const turns = at >= 5 && a !== b && last.every((key, i) => key === (i % 2 === 0 ? a : b));
      return turns ? [call.decision] : [];
    });
  return [...third, ...pairs];
}

function storms(made: readonly Made[]): number[] {
  let row = 0;
  let name = '';
  const found: number[] = [];
  for (const call of made.filter((own) => !['think', 'calculate'].includes(own.name))) {
    row = isError(call) ? (call.name === name ? row + 1 : 1) : 0;
    name = call.name;
    if (row >= 3) found.push(call.decision);
  }
  return found;
}

/** The decisions, from 0, on which a fact may be found. A rule that is not here may find none in these runs. */
const truths: Readonly<Record<string, (made: readonly Made[], run: RecordedRun) => number[]>> = {
  hallucinated_tool: (made) =>
    made.filter(({ name }) => !validators.has(name)).map(({ decision }) => decision),
  invalid_arguments: (made) =>
    made
      .filter(({ name, args }) => validators.get(name)?.(JSON.parse(args)) === false)
      .map(({ decision }) => decision),
  repeated_call: (made) =>
    made.flatMap((call, at) =>
      call.name !== 'think' && seenBefore(made, at, triple) > 0 ? [call.decision] : [],
    ),
  loop: loops,
  retry_storm: storms,
  duplicate_side_effect: (made) => {
    const ok = made.filter((call) => isWrite(call) && !isError(call));
    return ok.flatMap((call, at) =>
      seenBefore(ok, at, ({ name, args }) => name + args) > 0 ? [call.decision] : [],
    );
  },
  limit_exceeded: (made, { traj }) => {
    const last = made.at(-1);
    const cut = traj.at(-1)?.role === 'tool' && !/human/.test(last?.name ?? '');
    return cut && last !== undefined ? [last.decision] : [];
  },
  empty_answer: (_, { traj }) =>
    traj
      .filter(({ role }) => role === 'assistant')
      .flatMap(({ content, tool_calls }, i) => (!content && !tool_calls ? [i] : [])),
};

export function mayFind(rule: string, run: RecordedRun): ReadonlySet<number> {
  return new Set(truths[rule]?.(callsOf(run), run));
}
