import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DecisionSpan, TaskEvidence, TaskFacts } from '../../../query/decisions/evidence.ts';
import { keysOf, span } from '../../decisions/recorded-run.ts';

/** A message of a recorded run: who said what. */
export interface Message {
  readonly speaker: string;
  readonly text: string;
}

/** What a run shows of itself; nothing of its labels. */
export interface Run {
  readonly file: string;
  readonly subset: string;
  readonly question: string;
  readonly messages: readonly Message[];
}

/** What people marked as the decisive mistake: only for scoring and for fitting. */
export interface Label {
  readonly step: number;
  readonly agent: string;
}

/** Runs by subset (a folder of numbered JSON files each), with their labels apart. */
export function readRuns(folder: string): { readonly run: Run; readonly label: Label }[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const subsets = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const own = readSubset(folder, basename(folder));
  return [...own, ...subsets.toSorted().flatMap((name) => readSubset(join(folder, name), name))];
}

function readSubset(folder: string, subset: string) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .flatMap((file) => {
      try {
        return [readRun(join(folder, file), subset)];
      } catch (error) {
        if (!(error instanceof NotARun)) throw error;
        console.warn(`left out: ${error.message}`);
        return [];
      }
    });
}

/** A file that is no run, with what it lacks; it is left out, and said so. */
export class NotARun extends Error {
  override readonly name = 'NotARun';
}

type Fields = Readonly<Record<string, unknown>>;

/** Of a run nothing is read but its question and what was said: labels and answers must not reach the ranking. */
function readRun(file: string, subset: string) {
  const fields = parseFields(file);
  const { history, question } = fields;
  if (!Array.isArray(history)) throw new NotARun(`${file} has no list "history"`);
  const messages = history.map((own: unknown): Message => {
    const { name, role, content } = (own ?? {}) as Fields;
    return { speaker: textOf(name) || textOf(role), text: textOf(content) };
  });
  return { run: { file, subset, question: textOf(question), messages }, label: labelOf(fields) };
}

function parseFields(file: string): Fields {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch (cause) {
    throw new NotARun(`${file} is not JSON`, { cause });
  }
}

/** Content may be a text, a list of parts with texts, or anything else as JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.map((part) => textOf((part as Fields | null)?.['text'] ?? part)).join('\n');
}

/** A step that is no whole number is never met: such a run counts as missed. */
function labelOf({ mistake_step, mistake_agent }: Fields): Label {
  const step = /^\d+$/.test(String(mistake_step).trim()) ? Number(mistake_step) : Number.NaN;
  return { step, agent: plainAgent(String(mistake_agent ?? '')) };
}

/** Agents are compared without case and without what stands in brackets behind their name. */
export function plainAgent(speaker: string): string {
  return speaker.replace(/ \(.*\)$/, '').toLowerCase();
}

export type Speaker = 'human' | 'terminal' | 'model';

export function kindOf({ speaker }: Message): Speaker {
  if (/^computer_?terminal$/i.test(speaker)) return 'terminal';
  return speaker === 'human' ? 'human' : 'model';
}

/** The place of a message in its run, from the id of its span. */
export function indexOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16);
}

const idOf = (index: number, suffix = '0') =>
  index.toString(16).padStart(8, '0') + suffix.padStart(8, '0');

/**
 * A run as an instrumented team of agents would have sent it: a model message is an inference of its agent that saw the
 * question and everything said so far; a terminal message is a tool's span. A code block is a call of the terminal; what
 * a worker says it did in a browser or with a file is a call with its result; `(-> X)` hands over to X.
 */
export function evidenceOf({ file, question, messages }: Run): TaskEvidence {
  const content = new Map<string, string>();
  const put = (value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    content.set(hash, text);
    return hash;
  };
  const spans: DecisionSpan[] = [];
  const inputs = messages.some((message) => kindOf(message) === 'human')
    ? []
    : [put(say('user', question))];
  const led = messages.some(({ speaker }) => speaker.includes(' (-> '));
  // The call that the terminal answers next.
  let pending = '';
  let clock = 1_763_632_820_000_000_000n;
  const tick = () => {
    clock += 10_000_000n;
    return clock;
  };
  messages.forEach((message, i) => {
    const kind = kindOf(message);
    if (kind === 'human') inputs.push(put(say('user', message.text)));
    if (kind === 'terminal') {
      spans.push(toolSpan(i, 'run_code', message.text, pending, tick, put));
      inputs.push(put(toolMessage(pending, message.text)));
      pending = '';
    }
    if (kind !== 'model') return;
    const act = actionOf(message, i, led);
    if (act.runs || !led) pending = act.runs ? `${i}` : '';
    const start = tick();
    const output = put({ role: 'assistant', parts: act.parts, finish_reason: act.finish });
    spans.push(
      span({
        trace_id: traceOf(file),
        span_id: idOf(i),
        kind: 'llm',
        start,
        end: tick(),
        agent_name: message.speaker.replace(/ \(.*\)$/, ''),
        finish_reason: act.finish,
        input_messages: [...inputs],
        output_messages: [output],
      }),
    );
    inputs.push(output);
    if (act.ran === null) return;
    spans.push(toolSpan(i, act.ran.tool, act.ran.result, `${i}`, tick, put));
    inputs.push(put(toolMessage(`${i}`, act.ran.result)));
  });
  const named = spans.map((own) => ({ ...own, trace_id: traceOf(file) }));
  return { task: facts, spans: named, logs: [], calls: keysOf(named), content, costs: new Map() };
}

function traceOf(file: string): string {
  return createHash('sha256').update(file).digest('hex').slice(0, 32);
}

function toolSpan(
  i: number,
  tool: string,
  result: string,
  callId: string,
  tick: () => bigint,
  put: (value: unknown) => string,
): DecisionSpan {
  return span({
    span_id: idOf(i, 'f'),
    kind: 'tool',
    start: tick(),
    end: tick(),
    tool_name: tool,
    tool_call_id: callId,
    tool_error_by: readsAsFailure(result) ? 'content' : '',
    tool_result: [put(result)],
  });
}

/** The terminal's own way to say that a script failed, and the file viewer's. */
function readsAsFailure(text: string): boolean {
  return /^exitcode: [1-9]|exited with Unix exit code: [1-9]|^Title: Error \d+/m.test(text);
}

interface Action {
  readonly parts: readonly object[];
  readonly finish: string;
  /** Its code is run by the terminal. */
  readonly runs: boolean;
  readonly ran: { readonly tool: string; readonly result: string } | null;
}

/** `led`: the team has a leader who hands work over; then workers report actions, and thoughts run no code. */
function actionOf({ speaker, text }: Message, i: number, led: boolean): Action {
  const call = (name: string, args: object, said: string, result?: string): Action => ({
    parts: [
      ...(said === '' ? [] : [{ type: 'text', content: said }]),
      { type: 'tool_call', id: `${i}`, name, arguments: args },
    ],
    finish: 'tool_call',
    runs: name === 'run_code',
    ran: result === undefined ? null : { tool: name, result },
  });
  const code = [...text.matchAll(/```\w*\n?([\s\S]*?)(?:```|$)/g)].map(([, own]) => own ?? '');
  const target = /\(-> (.+)\)$/.exec(speaker)?.[1];
  if (target !== undefined && !/terminal/i.test(target))
    return call(`transfer_to_${target}`, {}, text);
  const leads = led && speaker.startsWith('Orchestrator') && target === undefined;
  const own = led && !leads ? reported(text) : undefined;
  if (own !== undefined) return call(own.tool, own.args, '', own.result);
  if (code.length > 0 && !leads)
    return call('run_code', { code: code.join('\n') }, text.replace(/```[\s\S]*?(?:```|$)/g, ''));
  return { parts: [{ type: 'text', content: text }], finish: 'stop', runs: false, ran: null };
}

/** What a worker says it did, as the call that it made. */
function reported(text: string) {
  const done = /^I (\w+)\b([^\n]*)\n([\s\S]*)$/.exec(text);
  const tool = browserVerbs[done?.[1] ?? ''];
  if (done !== null && tool !== undefined) {
    const [, , said = '', result = ''] = done;
    return { tool, args: { target: /'(.*?)'(?=[ .]|$)/.exec(said)?.[1] ?? said.trim() }, result };
  }
  const path = /^Address: (\S+)\n/.exec(text)?.[1];
  return path === undefined ? undefined : { tool: 'open_file', args: { path }, result: text };
}

const browserVerbs: Readonly<Record<string, string>> = {
  typed: 'browser_type',
  clicked: 'browser_click',
  scrolled: 'browser_scroll',
  hovered: 'browser_hover',
  selected: 'browser_select',
  visited: 'browser_visit',
};

function say(role: string, content: string): object {
  return { role, parts: [{ type: 'text', content }] };
}

function toolMessage(id: string, response: string): object {
  return { role: 'tool', parts: [{ type: 'tool_call_response', id, response }] };
}

const facts: TaskFacts = {
  task_id: 'run',
  workflow: null,
  state: 'done',
  outcome: 'failure',
  outcome_source: 'evaluation',
  outcome_score: 0,
  outcome_reason: null,
  cost_usd: null,
  duration_ms: null,
  model_ms: null,
  tool_ms: null,
  human_wait_ms: null,
};
