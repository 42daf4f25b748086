import type { DerivedTask } from '../../store/derive/task.ts';
import type { SpanRow } from '../../store/tables/spans.ts';
import type { Read } from './capture.ts';
import type { Answer, Scenario, Sheet } from './sheet.ts';

/** What a value turned out to be; a wrong one is told. */
export type Verdict = 'right' | 'absent' | { readonly wrong: unknown };

/** Aspects that apply to a capture, each with one verdict per call, tool or task. */
export type Verdicts = ReadonlyMap<string, readonly Verdict[]>;

interface Seen {
  readonly row: SpanRow;
  /** Other sightings of the same call: they may hold the content. */
  readonly rows: readonly SpanRow[];
  readonly agent: string;
}

type Json = Record<string, unknown>;

const one = (value: unknown, truth: unknown): Verdict => {
  if (value === truth) return 'right';
  return value === null || value === '' || value === undefined ? 'absent' : { wrong: value };
};

const count = (value: bigint | null, truth: number | null): Verdict => {
  if (truth === null || truth === 0) {
    return value === null || Number(value) === (truth ?? 0) ? 'right' : { wrong: Number(value) };
  }
  return one(value === null ? null : Number(value), truth);
};

/** Holds what the server reads from a capture against what really happened. */
export function judge(read: Read, scenario: Scenario, sheet: Sheet, tasks: number): Verdicts {
  const verdicts = new Map<string, Verdict[]>();
  const add = (aspect: string, verdict: Verdict) =>
    verdicts.set(aspect, [...(verdicts.get(aspect) ?? []), verdict]);
  const working = read.tasks.filter((task) => task['calls.kind'].length > 0);
  const calls = working.flatMap((task) => modelCalls(task, read.spans));
  calls.sort((a, b) => Number(a.row.start - b.row.start));
  const answers = scenario.calls.map((name) => sheet.answers[name] as Answer);

  add('calls', one(calls.length, answers.length));
  answers.forEach((answer, i) => {
    const call = calls[i];
    if (call === undefined) add('calls', 'absent');
    else judgeCall(call, answer, scenario, sheet, read, add);
  });
  judgeTools(working, scenario, read, add);
  judgeTask(working, scenario, tasks, add);
  return verdicts;
}

function modelCalls(task: DerivedTask, spans: readonly SpanRow[]): Seen[] {
  return task['calls.kind'].flatMap((kind, i) => {
    const row = spans.find(
      ({ span_id, trace_id }) =>
        span_id === task['calls.span_id'][i] && trace_id === task['calls.trace_id'][i],
    );
    if (kind === 'tool' || row === undefined) return [];
    const rows = spans.filter(
      (other) =>
        other.kind === row.kind &&
        other.trace_id === row.trace_id &&
        other.start <= row.end &&
        other.end >= row.start,
    );
    return [{ row, rows, agent: task['calls.agent'][i] ?? '' }];
  });
}

type Add = (aspect: string, verdict: Verdict) => void;

function judgeCall(
  call: Seen,
  answer: Answer,
  scenario: Scenario,
  sheet: Sheet,
  read: Read,
  add: Add,
): void {
  const { text } = read;
  const { row, rows } = call;
  add('request model', one(row.request_model, answer.request_model));
  add('response model', one(row.response_model, answer.response_model));
  add('provider', one(row.provider, answer.provider));
  add('input tokens', count(row.input_tokens, answer.input));
  add('output tokens', count(row.output_tokens, answer.output));
  add('cache read', count(row.cache_read_tokens, answer.cache_read));
  if (answer.cache_write !== null) {
    add('cache write', count(row.cache_write_tokens, answer.cache_write));
    add('cache write 1 h', count(row.cache_write_1h_tokens, answer.cache_write_1h));
  }
  if (answer.reasoning !== null) add('reasoning', count(row.reasoning_tokens, answer.reasoning));
  if (answer.streamed) add('time to first token', firstToken(row));
  else if (row.ttft_ms !== null) {
    const plausible = row.ttft_ms >= 0 && row.ttft_ms <= milliseconds(row) + 1;
    add('time to first token', plausible ? 'right' : { wrong: row.ttft_ms });
  }
  const messages = (of: (row: SpanRow) => readonly bigint[]) =>
    rows.flatMap((one_) => of(one_).map((hash) => parse(text(hash))));
  const input = messages((span) => span.input_messages);
  const output = messages((span) => span.output_messages);
  const system = rows.flatMap((one_) => one_.system_instructions.map(text)).join();
  if (scenario.system !== undefined) {
    add('system instructions', has(system, system.includes(scenario.system)));
  }
  add('input messages', has(input, says(input, 'user', sheet.question)));
  if (answer.after_tool) add('tool results in messages', has(input, input.some(isToolMessage)));
  const answered =
    answer.calls === null ? says(output, 'assistant', sheet.final_text) : asks(output, answer);
  add('output messages', has(output, answered));
  if (answer.calls !== null) {
    // Some frameworks tell an agent's tools on the agent's span.
    const tools = read.spans.flatMap((span) => span.tool_definitions.map(text));
    add(
      'tool definitions',
      has(
        tools,
        tools.some((tool) => isTool(tool, answer.calls)),
      ),
    );
  }
}

const has = (found: string | readonly unknown[], right: boolean): Verdict =>
  right ? 'right' : found.length === 0 ? 'absent' : { wrong: found };

const milliseconds = (row: SpanRow) => Number(row.end - row.start) / 1e6;

/** The model waits 30 ms before the first piece. */
function firstToken(row: SpanRow): Verdict {
  if (row.ttft_ms === null) return 'absent';
  const plausible = row.ttft_ms > 3 && row.ttft_ms <= milliseconds(row) + 1;
  return plausible ? 'right' : { wrong: row.ttft_ms };
}

function parse(text: string): Json {
  return JSON.parse(text) as Json;
}

const partsOf = (message: Json): readonly Json[] =>
  Array.isArray(message['parts']) ? (message['parts'] as Json[]) : [];

function says(messages: readonly Json[], role: string, text: string): boolean {
  return messages.some(
    (message) =>
      message['role'] === role &&
      partsOf(message).some(
        (part) => part['type'] === 'text' && String(part['content']).includes(text),
      ),
  );
}

function dataOf(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : value;
}

function asks(messages: readonly Json[], { calls }: Answer): boolean {
  const wanted = calls?.endsWith('get_weather') === true ? '{"city":"Paris"}' : '{}';
  return messages.some((message) =>
    partsOf(message).some(
      (part) =>
        part['type'] === 'tool_call' &&
        part['name'] === calls &&
        JSON.stringify(dataOf(part['arguments']) ?? {}) === wanted,
    ),
  );
}

const isToolMessage = (message: Json): boolean =>
  partsOf(message).some(
    (part) =>
      part['type'] === 'tool_call_response' &&
      /sunny in Paris|weather.agent/.test(JSON.stringify(part)),
  );

function isTool(text: string, name: string | null): boolean {
  const tool = parse(text);
  return tool['name'] === name && tool['description'] !== undefined;
}

function judgeTools(
  tasks: readonly DerivedTask[],
  { tools = [] }: Scenario,
  read: Read,
  add: Add,
): void {
  if (tools.length === 0) return;
  const seen = tasks.flatMap((task) =>
    task['calls.kind'].flatMap((kind, i) =>
      kind === 'tool' ? read.spans.filter((s) => s.span_id === task['calls.span_id'][i]) : [],
    ),
  );
  const plain = seen.filter(({ kind }) => kind === 'tool');
  add('tools', plain.length === 0 ? 'absent' : one(plain.length, tools.length));
  tools.forEach((tool, i) => {
    const row = plain[i];
    if (row === undefined) return;
    const textOf = (hashes: readonly bigint[]) => hashes.map(read.text).join();
    const args = textOf(row.tool_arguments);
    const right = args !== '' && same(args, tool.arguments);
    add('tools', one(row.tool_name, tool.name));
    add('tool arguments', args === '' ? 'absent' : right ? 'right' : { wrong: args });
    const result = textOf(row.tool_result);
    add('tool result', has(result, result.includes(tool.result) && result.length < 60));
    add('tool call id', row.tool_call_id === '' ? 'absent' : 'right');
  });
}

function same(text: string, truth: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(truth);
  } catch {
    return false;
  }
}

function judgeTask(
  tasks: readonly DerivedTask[],
  { agents, session, user, handoffs }: Scenario,
  expected: number,
  add: Add,
): void {
  add('task', one(tasks.length, expected));
  const first = tasks[0];
  if (first === undefined) return;
  // Names of classes and spans that are no agent's may stand beside.
  const names = first.agent_path.split('>').filter((name) => name !== '');
  if (agents !== undefined) {
    const right = agents.every((name) => names.includes(name));
    add('agent', names.length === 0 ? 'absent' : right ? 'right' : { wrong: names });
  }
  if (session !== undefined) add('session', one(first.session_id, session));
  if (user !== undefined) add('user', one(first.user_id, user));
  if (handoffs !== undefined) add('handoff', one(first.handoffs || null, handoffs));
}
