import { createRandom, type Random } from '../../demo/random.ts';
import { attributes, type Data, encodeProtobuf, traceRequest } from '../fuzz/otlp.ts';
import { loadRecording, type RecordedMessage } from '../replay/recording.ts';

/** A request to be sent many times, each time with ids and times of its own. */
export interface Template {
  readonly body: Buffer;
  readonly spans: number;
  /** Writes ids of the `n`-th sending and times that end at `now` (ms since 1970); returns one of its trace ids. */
  stamp(n: number, now: number): string;
}

export interface Profile {
  readonly name: string;
  readonly templates: readonly Template[];
  /** Body bytes by span. */
  readonly bytesPerSpan: number;
}

export const spansPerRequest = 512;
const spansPerTrace = 16;

// What is written anew with every sending is found by these bytes, which occur nowhere else.
const traceMark = 'f1e2d3c4b5a69788';
/** Stands in ids of tasks, conversations, responses and calls for what differs from sending to sending. */
const idMark = '@@@@@@@@';
const timeMark = 0x7a7a7a7a7a000000n;
const timeMarkBytes = Buffer.from('7a7a7a7a7a', 'hex');

/** Span ids and trace ids of trace `index` in a template. */
const traceIdOf = (index: number) => `${traceMark}00000000${index.toString(16).padStart(8, '0')}`;
const spanIdOf = (index: number) => (index + 1).toString(16).padStart(16, '0');
const taskIdOf = (index: number) => `task-${idMark}-${index}`;

function occurrences(body: Buffer, mark: Buffer): number[] {
  const found: number[] = [];
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length))
    found.push(at);
  return found;
}

function template(spans: readonly Data[]): Template {
  const resource = attributes({
    'service.name': 'bench',
    'service.version': '1.4.2',
    'deployment.environment.name': 'production',
    'telemetry.sdk.language': 'nodejs',
  });
  const body = encodeProtobuf(traceRequest, {
    resourceSpans: [
      {
        resource: { attributes: resource },
        scopeSpans: [{ scope: { name: 'plumbline', version: '0.1.0' }, spans }],
      },
    ],
  });
  const traces = occurrences(body, Buffer.from(traceMark, 'hex'));
  const ids = occurrences(body, Buffer.from(idMark));
  const indexes = traces.map((at) => body.readUInt32BE(at + 12));
  const times = occurrences(body, timeMarkBytes).map((at) => at - 3);
  const offsets = times.map((at) => body.readUIntLE(at, 3));
  return {
    body,
    spans: spans.length,
    stamp(n, now) {
      traces.forEach((at, i) => {
        // In no order of time, as real ids are: what is read together lies apart on disk.
        body.writeUInt32BE(scramble(n * 2654435761 + (indexes[i] ?? 0)), at);
        body.writeUInt32BE(n, at + 8);
      });
      const hex = n.toString(16).padStart(8, '0');
      for (const at of ids) body.write(hex, at, 'latin1');
      const start = BigInt(now - 60_000) * 1_000_000n;
      times.forEach((at, i) => {
        body.writeBigUInt64LE(start + BigInt(offsets[i] ?? 0) * 1000n, at);
      });
      const [first = 0] = traces;
      return body.toString('hex', first, first + 16);
    },
  };
}

/** Microseconds after the beginning of the template's time, below 2^24 (16 s). */
function at(micros: number): string {
  return String(timeMark + BigInt(micros));
}

/** Murmur3's finaliser: each input gives another output. */
function scramble(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function words(random: Random): (bytes: number) => string {
  const known = Array.from({ length: 4000 }, () => random.hex(2 + Math.floor(random.next() * 8)));
  return (bytes) => {
    let text = '';
    while (text.length < bytes) text += `${known[Math.floor(random.next() * known.length)]} `;
    return text.slice(0, bytes);
  };
}

/** Agent spans of 1.7 kB with 15 attributes: model calls and tool calls, 16 to a trace, each trace one task. */
export function plainProfile(): Profile {
  const random = createRandom(1);
  const text = words(random);
  const templates = Array.from({ length: 24 }, () =>
    template(Array.from({ length: spansPerRequest }, (_, i) => plainSpan(i, random, text))),
  );
  return profile('plain', templates);
}

function plainSpan(i: number, random: Random, text: (bytes: number) => string): Data {
  const trace = Math.floor(i / spansPerTrace);
  const n = i % spansPerTrace;
  const isTool = n % 3 === 2;
  const start = n * 40_000 + Math.floor(random.next() * 1000);
  const operation = n === 0 ? 'invoke_agent' : isTool ? 'execute_tool' : 'chat';
  const name = n === 0 ? 'invoke_agent support' : isTool ? 'execute_tool search' : 'chat gpt-4o';
  return {
    traceId: traceIdOf(trace),
    spanId: spanIdOf(n),
    parentSpanId: n === 0 ? '' : spanIdOf(0),
    name,
    kind: 3,
    startTimeUnixNano: at(start),
    endTimeUnixNano: at(start + 30_000 + Math.floor(random.next() * 5000)),
    attributes: attributes({
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': 'openai',
      'gen_ai.agent.name': 'support',
      'gen_ai.conversation.id': `conversation-${idMark}-${trace}`,
      'agent.task.id': taskIdOf(trace),
      'agent.task.workflow': `workflow-${trace % 8}`,
      'user.id': `user-${random.hex(8)}`,
      ...(isTool
        ? {
            'gen_ai.tool.name': 'search',
            'gen_ai.tool.call.id': `call_${idMark}${random.hex(16)}`,
            'agent.tool.effect': 'read',
            'agent.iteration': n,
          }
        : {
            'gen_ai.request.model': 'gpt-4o',
            'gen_ai.response.id': `chatcmpl-${idMark}${random.hex(16)}`,
            'gen_ai.usage.input_tokens': Math.floor(random.next() * 8000),
            'gen_ai.usage.output_tokens': Math.floor(random.next() * 500),
          }),
      'http.request.header.user-agent': text(120),
      'app.request': text(500),
      'app.response': text(350),
      'app.note': text(120),
    }),
    status: { code: 1 },
    flags: 257,
  };
}

/** Model calls of recorded conversations whose history repeats in every call: 13 kB each, with all content on them. */
export function chatProfile(): Profile {
  const { runs } = loadRecording();
  const templates: Template[] = [];
  let spans: Data[] = [];
  runs.forEach((run, i) => {
    spans.push(...chatSpans(run.traj, i));
    if (spans.length < 64 && i < runs.length - 1) return;
    templates.push(template(spans));
    spans = [];
  });
  return profile('chat', templates);
}

function chatSpans(conversation: readonly RecordedMessage[], trace: number): Data[] {
  const spans: Data[] = [];
  const history: string[] = [];
  for (const message of conversation) {
    const text = JSON.stringify(canonical(message));
    if (message.role === 'assistant') {
      const n = spans.length;
      spans.push({
        traceId: traceIdOf(trace),
        spanId: spanIdOf(n),
        parentSpanId: '',
        name: 'chat gpt-4o',
        kind: 3,
        startTimeUnixNano: at(n * 200_000),
        endTimeUnixNano: at(n * 200_000 + 150_000),
        attributes: attributes({
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.response.id': `chatcmpl-${idMark}-${trace}-${n}`,
          'gen_ai.usage.input_tokens': 1000 + 100 * n,
          'gen_ai.usage.output_tokens': 50,
          'agent.task.id': taskIdOf(trace),
          'agent.task.workflow': 'airline',
          'gen_ai.input.messages': `[${history.join(',')}]`,
          'gen_ai.output.messages': `[${text}]`,
        }),
        status: { code: 1 },
        flags: 257,
      });
    }
    history.push(text);
  }
  return spans;
}

function canonical({ role, content, tool_calls, tool_call_id }: RecordedMessage): Data {
  const calls = (tool_calls ?? []).map((call) => ({
    type: 'tool_call',
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  if (role === 'tool') {
    return { role, parts: [{ type: 'tool_call_response', id: tool_call_id, response: content }] };
  }
  const text = typeof content === 'string' && content !== '' ? [{ type: 'text', content }] : [];
  return { role, parts: [...text, ...calls] };
}

function profile(name: string, templates: readonly Template[]): Profile {
  const bytes = templates.reduce((sum, { body }) => sum + body.length, 0);
  const spans = templates.reduce((sum, one) => sum + one.spans, 0);
  return { name, templates, bytesPerSpan: Math.round(bytes / spans) };
}
