import { createRandom, type Random } from '../../demo/random.ts';
import { openStore } from '../../store/connection.ts';
import { query, sql } from '../../store/sql.ts';
import { hostile, neighbours } from './hostile.ts';
import { below, mutations } from './mutate.ts';
import { type Answer, type Attack, type Protocol, protocols } from './protocols.ts';
import { type PlumblineProcess, startPlumbline } from './server.ts';
import { expectedTask, itemsPerRequest, type Signal, signals, storedTasks } from './signals.ts';

export interface CampaignOptions {
  /** Directory of the journal and store, empty at first. */
  readonly data: string;
  readonly cases: number;
  readonly seed: number;
  /** Leaves out what takes the server seconds: bombs, 10 MB values, batches over thousands of days. */
  readonly light?: boolean;
  /** Hears of progress, in lines. */
  readonly log?: (line: string) => void;
}

export interface CampaignReport {
  readonly cases: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What must not happen, each with the case that did it; empty is good. */
  readonly failures: readonly string[];
  readonly good: number;
  /** Hostile requests of which one item was bad; its neighbours are as many times two. */
  readonly spared: number;
  readonly slowestGoodMs: number;
  readonly peakRssMb: number;
  readonly seconds: number;
}

/** Every so many requests one is sound. */
const goodEvery = 10;
const lanes = 8;
/** A kind of less weight takes the server seconds. */
const costly = 0.1;
/** Of these a few are enough: they take minutes. */
const rare = 0.01;
/** Batches over thousands of days take the engine a part per day, each of them synced. */
const drainMs = 900_000;

interface State {
  readonly server: PlumblineProcess;
  readonly random: Random;
  readonly light: boolean;
  /** Hostile kinds that come first, each over every protocol and signal. */
  readonly kinds: readonly string[];
  readonly statuses: Map<string, number>;
  readonly failures: string[];
  readonly good: { readonly signal: Signal; readonly of: string }[];
  readonly spared: { readonly signal: Signal; readonly of: string }[];
  slowestGoodMs: number;
}

/**
 * Sends truncated, flipped and hostile requests to a Plumbline in a process of its own, with sound ones in between,
 * and says what went wrong. The same seed sends the same requests.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const start = performance.now();
  const server = await startPlumbline(options.data);
  const state: State = {
    server,
    random: createRandom(options.seed),
    light: options.light ?? false,
    kinds: Object.keys(hostile).filter(
      (name) => (hostile[name]?.weight ?? 0) >= (options.light === true ? costly : rare),
    ),
    statuses: new Map(),
    failures: [],
    good: [],
    spared: [],
    slowestGoodMs: 0,
  };
  let next = 0;
  const lane = async () => {
    while (next < options.cases && server.exit === undefined) {
      const at = next;
      next += 1;
      await oneCase(state, at);
      if (at > 0 && at % 1000 === 0) options.log?.(`${at} cases, ${await server.rssMb()} MB`);
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
    await settle(state);
  } finally {
    await server.stop();
  }
  if (server.exit !== 0)
    state.failures.push(`the server ended with ${server.exit}: ${server.tail()}`);
  else await checkStore(state, options.data);
  return {
    cases: next,
    statuses: Object.fromEntries([...state.statuses].sort()),
    failures: state.failures,
    good: state.good.length,
    spared: state.spared.length,
    slowestGoodMs: Math.round(state.slowestGoodMs),
    peakRssMb: server.peakRssMb,
    seconds: Math.round((performance.now() - start) / 1000),
  };
}

async function oneCase(state: State, at: number): Promise<void> {
  const { server } = state;
  const isGood = at % goodEvery === 0;
  // Sound and hostile requests count for themselves, so that both take every pair in turn.
  const turn = isGood ? at / goodEvery : at - 1 - Math.floor(at / goodEvery);
  const protocol = protocols[turn % protocols.length] as Protocol;
  const signal = signals[Math.floor(turn / protocols.length) % signals.length] as Signal;
  if (isGood) {
    const of = `good ${signal.name} ${at}`;
    await sendGood(state, signal, protocol, of);
    return;
  }
  // Every kind over every protocol and signal once; chance comes after that.
  const kind = state.kinds[Math.floor(turn / (protocols.length * signals.length))];
  const attack = makeAttack(state, protocol, signal, at, kind);
  const answer = await protocol.send(server, signal, attack);
  const name = `case ${at}, ${attack.name}, ${protocol.name} ${signal.name}`;
  judge(state, answer, name, attack);
  if (attack.neighboursOf === undefined || answer.kind !== 'answer') return;
  if (answer.status === 200) state.spared.push({ signal, of: attack.neighboursOf });
  else state.failures.push(`${name}: its neighbours were refused with ${answer.status}`);
}

function makeAttack(
  { random, light }: State,
  protocol: Protocol,
  signal: Signal,
  at: number,
  kind: string | undefined,
): Attack {
  const of = `victim ${at}`;
  if (kind === undefined && random.chance(0.35)) {
    const items = [0, 1, 2].map((i) => signal.item(of, i));
    const sound = protocol.encode(signal, signal.request(items));
    return mutated(random, sound, 'sound');
  }
  const names = Object.keys(hostile);
  const weights = names.map((name) => {
    const weight = hostile[name]?.weight ?? 0;
    return light && weight < costly ? 0 : weight;
  });
  const name = kind ?? random.pick(names as [string, ...string[]], weights);
  const made = hostile[name]?.make({ signal, protocol, random, of });
  if (made === undefined) throw new Error(`no hostile case ${name}`);
  if (
    kind === undefined &&
    random.chance(0.15) &&
    made.body.length > 0 &&
    made.body.length < 100_000
  ) {
    return { ...made, ...mutated(random, made.body, name) };
  }
  const spares = hostile[name]?.hasNeighbours === true;
  return { ...made, name, ...(spares && { neighboursOf: of }) };
}

function mutated(random: Random, body: Buffer, of: string): Attack {
  const names = Object.keys(mutations);
  let bytes = body;
  const applied: string[] = [];
  for (let n = random.chance(0.2) ? 2 : 1; n > 0 && bytes.length > 0; n -= 1) {
    const name = names[below(random, names.length)] ?? 'flip';
    bytes = mutations[name]?.(bytes, random) ?? bytes;
    applied.push(name);
  }
  return { name: `${of}, ${applied.join(' and ')}`, body: bytes };
}

function judge(state: State, answer: Answer, name: string, { body }: Attack): void {
  const { failures, statuses } = state;
  const key = answer.kind === 'answer' ? String(answer.status) : answer.kind;
  statuses.set(key, (statuses.get(key) ?? 0) + 1);
  if (answer.kind === 'answer') {
    const { status, text } = answer;
    if (status >= 500 && status !== 503) failures.push(`${name}: ${status} ${text}`);
    if (text.includes('internal error')) failures.push(`${name}: an internal error`);
    return;
  }
  // Refused before it was read to its end: the sender may see the connection close first.
  const refusedEarly = answer.kind === 'reset' && body.length > 64 * 1024 ** 2;
  if (!refusedEarly) failures.push(`${name}: ${answer.why}`);
}

/** A sound request, until it is taken: 503 asks to send it again. */
async function sendGood(
  state: State,
  signal: Signal,
  protocol: Protocol,
  of: string,
): Promise<void> {
  const items = Array.from({ length: itemsPerRequest }, (_, i) => signal.item(of, i));
  const body = protocol.encode(signal, signal.request(items));
  for (let attempt = 0; attempt < 100 && state.server.exit === undefined; attempt += 1) {
    const start = performance.now();
    const answer = await protocol.send(state.server, signal, { name: 'good', body });
    state.slowestGoodMs = Math.max(state.slowestGoodMs, performance.now() - start);
    judge(state, answer, `${of} over ${protocol.name}`, { name: 'good', body });
    if (answer.kind === 'answer' && answer.status === 200) {
      if (/[^{}\s]/.test(answer.text))
        state.failures.push(`${of}: not all of it was taken: ${answer.text}`);
      state.good.push({ signal, of });
      return;
    }
    if (answer.kind === 'answer' && answer.status !== 503) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  state.failures.push(`${of} over ${protocol.name}: a sound request was not taken`);
}

/** Everything acked has to reach the store: nothing waits, nothing is set aside, nothing is left underived. */
async function settle({ server, failures }: State): Promise<void> {
  if (server.exit !== undefined) return;
  const drained = await server.drained(drainMs);
  if (!drained)
    failures.push(`what was acked is not stored ${drainMs / 1000} s after the last request`);
  const metrics = await server.metrics();
  for (const name of [
    'ingest_quarantine_requests',
    'ingest_underived_total',
    'ingest_blocked',
    'ingest_journal_damaged_bytes_total',
    'audit_mismatches_total',
    'audit_failures_total',
  ]) {
    const value = metrics.get(`plumbline_${name}`);
    if (value !== 0) failures.push(`${name} is ${value}: ${server.tail()}`);
  }
}

/** Reads the store itself, in the server's stead, which has ended. */
async function checkStore({ good, spared, failures }: State, data: string): Promise<void> {
  const store = await openStore({ path: data });
  try {
    for (const signal of signals) {
      const ours = (one: { readonly signal: Signal }) => one.signal === signal;
      const expected = good
        .filter(ours)
        .flatMap(({ of }) =>
          Array.from({ length: itemsPerRequest }, (_, i) => signal.expected(of, i)),
        );
      compare(failures, `${signal.name}: item`, expected, await signal.stored(store, 'good '));
      const beside = spared
        .filter(ours)
        .flatMap(({ of }) => neighbours.map((i) => signal.expected(of, i)));
      const known = new Set(beside);
      const found = await signal.stored(store, 'victim ');
      // What became of the bad ones themselves is free.
      const left = found.filter((one) => known.has(one));
      compare(failures, `${signal.name}: neighbour of a bad item`, beside, left);
    }
    const tasks = good.filter(({ signal }) => signal.name === 'traces');
    compare(
      failures,
      'task',
      tasks.map(({ of }) => expectedTask(of)),
      await storedTasks(store),
    );
    const [corrupt] = await query<{ n: string }>(
      store,
      sql`SELECT count() AS n FROM spans WHERE trace_id = '' OR toYear(start) < 2000`,
    );
    if (corrupt?.n !== '0') failures.push(`${corrupt?.n} spans without identity`);
  } finally {
    await store.close();
  }
}

function compare(
  failures: string[],
  what: string,
  expected: readonly string[],
  found: readonly string[],
): void {
  const counts = new Map<string, number>();
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) + 1);
  for (const one of expected) {
    const count = counts.get(one) ?? 0;
    if (count !== 1) failures.push(`${what} is there ${count} times: ${one}`);
    counts.delete(one);
  }
  for (const one of counts.keys()) failures.push(`${what} that nobody sent: ${one}`);
}
