import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { backfill, otlpOf } from './backfill.ts';
import { pastTasks } from './history.ts';

const tasks = pastTasks({ tasks: 250, until: new Date('2026-11-20T18:00:00Z'), seed: 7 });

interface Sink {
  readonly url: string;
  readonly bodies: { path: string; body: Record<string, unknown> }[];
}
let stop: (() => void) | undefined;
afterEach(() => stop?.());

async function sink(answer: string): Promise<Sink> {
  const bodies: Sink['bodies'] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    bodies.push({ path: request.url ?? '', body: JSON.parse(text) });
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () => server.close();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

describe('the backfill', () => {
  it('sends every task once, as traces and logs, and tells how far it is', async () => {
    const { url, bodies } = await sink('{}');
    const steps: number[] = [];
    await backfill(tasks, { otlp: url, service: 'demo', onProgress: (sent) => steps.push(sent) });
    const text = JSON.stringify(bodies.filter((b) => b.path === '/v1/traces'));
    for (const task of tasks) {
      expect(text.split(`"${task.traceId}"`).length - 1).toBe(1 + task.steps.length);
    }
    expect(bodies.filter((b) => b.path === '/v1/logs')).toHaveLength(3);
    expect(steps.at(-1)).toBe(250);
  });

  it('stops loudly when the receiver rejects a span', async () => {
    const { url } = await sink('{"partialSuccess":{"rejectedSpans":"1"}}');
    await expect(backfill(tasks, { otlp: url, service: 'demo' })).rejects.toThrow(/rejectedSpans/);
  });

  it('writes ids, times and integers as OTLP/JSON wants them', () => {
    const [task] = tasks;
    if (task === undefined) throw new Error('no task');
    const bodies = otlpOf([task], 'demo') as {
      traces: {
        resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[];
      };
    };
    const spans = bodies.traces.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    expect(new Set(spans.map((span) => span['spanId'])).size).toBe(spans.length);
    for (const span of spans) {
      expect(span['traceId']).toMatch(/^[0-9a-f]{32}$/);
      expect(span['spanId']).toMatch(/^[0-9a-f]{16}$/);
      expect(span['startTimeUnixNano']).toMatch(/^\d{19}$/);
    }
    expect(JSON.stringify(spans[1])).toContain(
      '{"key":"agent.iteration","value":{"intValue":"1"}}',
    );
  });
});
