import { createRandom, type Random } from './random.ts';

/** One generated task. Times are Unix milliseconds, durations milliseconds. */
export interface PastTask {
  readonly id: string;
  readonly traceId: string;
  readonly workflow: string;
  readonly prompt: string;
  readonly version: string;
  readonly session: string;
  readonly user: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly steps: readonly PastStep[];
  /** null: nobody gave a verdict. */
  readonly outcome: 'success' | 'failure' | null;
}

export type PastStep = PastModelCall | PastToolCall;

export interface PastModelCall {
  readonly kind: 'model';
  readonly startedAt: number;
  readonly endedAt: number;
  readonly ttftMs: number;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly finish: 'stop' | 'tool_calls';
}

export interface PastToolCall {
  readonly kind: 'tool';
  readonly startedAt: number;
  readonly endedAt: number;
  readonly tool: string;
  readonly failed: boolean;
}

export interface HistoryOptions {
  readonly tasks: number;
  /** The history covers the seven days before this time. */
  readonly until: Date;
  readonly seed: number;
}

const HOUR = 3_600_000;
const DAYS = 7;
/** The worse prompt arrives two days before the end: on day six of seven. */
const NEW_PROMPT_HOURS_AGO = 48;
/** Some tasks stay on the old prompt after that: only then can the prompt be told from the time. */
const NEW_PROMPT_SHARE = 0.85;
const LABELLED_SHARE = 0.95;

/** How a prompt version behaves. Together the new version and the rest give 92 % → 81 % success. */
interface Behaviour {
  readonly success: number;
  readonly toolError: number;
  readonly extraSearch: number;
  readonly escalation: number;
  readonly inputTokens: number;
}
const before: Behaviour = {
  success: 0.92,
  toolError: 0.008,
  extraSearch: 0.1,
  escalation: 0.05,
  inputTokens: 5_200,
};
const after: Behaviour = {
  success: 0.79,
  toolError: 0.07,
  extraSearch: 0.45,
  escalation: 0.08,
  inputTokens: 6_300,
};
const steady: Behaviour = { ...before, success: 0.97, extraSearch: 0, escalation: 0.01 };

/** Relative traffic per UTC hour of a shop whose customers sit in Europe and on the American east coast. */
const hourly = [
  1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 11, 12, 12, 11, 9, 8, 7, 6, 4, 3, 2,
] as const;

/**
 * Seven days of a support agent that never was: `tasks` tasks in order of their start, the same for the same options.
 * `support` gets a worse prompt (v8) on day six; `order-updates` stays as it was, as a comparison.
 */
export function pastTasks(options: HistoryOptions): PastTask[] {
  const random = createRandom(options.seed);
  const until = options.until.getTime();
  const decks = new Map([before, after, steady].map((each) => [each, random.deck(each.success)]));
  return startTimes(options, random).map((startedAt, index) => {
    const support = !random.chance(0.2);
    const renewed =
      support &&
      until - startedAt <= NEW_PROMPT_HOURS_AGO * HOUR &&
      random.chance(NEW_PROMPT_SHARE);
    const behaviour = support ? (renewed ? after : before) : steady;
    const steps = stepsOf(support ? supportTools(behaviour, random) : ['lookup_order'], {
      startedAt,
      behaviour,
      random,
    });
    const labelled = random.chance(LABELLED_SHARE);
    return {
      id: `${support ? 'ticket' : 'update'}-${String(index + 1).padStart(5, '0')}`,
      traceId: random.hex(32),
      workflow: support ? 'support' : 'order-updates',
      prompt: support ? 'support' : 'order-updates',
      version: support ? (renewed ? 'v8' : 'v7') : 'v3',
      session: `chat-${random.hex(8)}`,
      user: `customer-${1 + Math.floor(random.next() * 400)}`,
      startedAt,
      endedAt: (steps.at(-1)?.endedAt ?? startedAt) + 3,
      steps,
      outcome: labelled ? (decks.get(behaviour)?.() ? 'success' : 'failure') : null,
    };
  });
}

function startTimes({ tasks, until }: HistoryOptions, random: Random): number[] {
  // The last minutes stay empty, so that every generated task has ended before the history does.
  const end = until.getTime() - 3 * 60_000;
  const hours = Array.from({ length: DAYS * 24 }, (_unused, ago) => end - (ago + 1) * HOUR);
  const [first = end, ...rest] = hours;
  const weights = hours.map((start) => hourly[new Date(start).getUTCHours()] ?? 1);
  return Array.from({ length: tasks }, () => {
    const hour = random.pick([first, ...rest], weights);
    return Math.floor(hour + random.next() * HOUR);
  }).sort((a, b) => a - b);
}

function supportTools(behaviour: Behaviour, random: Random): string[] {
  const intent = random.pick(['status', 'question', 'refund'], [5, 3, 2]);
  const tools = {
    status: ['lookup_order'],
    question: ['search_kb'],
    refund: ['lookup_order', 'get_customer', 'issue_credit', 'send_email'],
  }[intent] ?? ['search_kb'];
  const searched = random.chance(behaviour.extraSearch) ? ['search_kb', ...tools] : tools;
  return random.chance(behaviour.escalation) ? [...searched, 'escalate_to_human'] : searched;
}

interface Course {
  readonly startedAt: number;
  readonly behaviour: Behaviour;
  readonly random: Random;
}

/** Model, tool, model, tool … and a last answer; a failed tool call is tried once more. */
function stepsOf(tools: readonly string[], { startedAt, behaviour, random }: Course): PastStep[] {
  const steps: PastStep[] = [];
  let at = startedAt + 2;
  let context = random.around(behaviour.inputTokens, 1.15);
  const think = (finish: PastModelCall['finish']) => {
    const output = Math.ceil(random.around(finish === 'stop' ? 140 : 45, 1.5));
    const ttftMs = random.around(520, 1.5);
    const endedAt = Math.ceil(at + ttftMs + output * 11);
    const input = Math.ceil(context);
    // Providers cache a prompt's prefix in steps of 128 tokens; the first call of a task finds none.
    const cached = steps.length === 0 ? 0 : Math.floor((input * 0.8) / 128) * 128;
    steps.push({ kind: 'model', startedAt: at, endedAt, ttftMs, input, cached, output, finish });
    at = endedAt + 1;
    context += output;
  };
  const act = (tool: string) => {
    const failed = random.chance(behaviour.toolError);
    const endedAt = Math.ceil(at + random.around(180, 1.8));
    steps.push({ kind: 'tool', startedAt: at, endedAt, tool, failed });
    at = endedAt + 1;
    context += 180;
    return failed;
  };
  for (const tool of tools) {
    think('tool_calls');
    if (act(tool)) {
      think('tool_calls');
      act(tool);
    }
  }
  think('stop');
  return steps;
}
