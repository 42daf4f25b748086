// biome-ignore-all lint/correctness/noUndeclaredDependencies: the SDKs that are tested with are those of the repository.

import { Client } from '@modelcontextprotocol/client';
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as FirstTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer as FirstServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Recorder, record } from '../../test/recorder.ts';
import { withTask } from '../task.ts';
import { tool } from '../tool.ts';
import { observeMcpClient } from './mcp-client.ts';

let recorder: Recorder;
afterEach(async () => {
  await recorder.handle.shutdown();
});

const weather = tool({ name: 'get_weather' }, async ({ city }: { city: string }) => ({
  content: [{ type: 'text' as const, text: `sunny in ${city}` }],
}));
const broken = tool({ name: 'broken' }, async () => {
  throw new Error('no such city');
});
const inputSchema = z.object({ city: z.string() });

/** A server with two tools, and a client that is connected to it. */
async function firstMajor() {
  const server = new FirstServer({ name: 's', version: '1' });
  server.registerTool('get_weather', { inputSchema: inputSchema.shape }, weather);
  server.registerTool('broken', { inputSchema: inputSchema.shape }, broken);
  const client = new FirstClient({ name: 'c', version: '1' });
  const [near, far] = FirstTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  return { client, close: () => client.close() };
}

async function secondMajor() {
  const server = new McpServer({ name: 's', version: '1' });
  server.registerTool('get_weather', { inputSchema }, weather);
  server.registerTool('broken', { inputSchema }, broken);
  const client = new Client({ name: 'c', version: '1' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  return { client, close: () => client.close() };
}

describe.each([
  ['@modelcontextprotocol/sdk 1', firstMajor],
  ['@modelcontextprotocol/client and server 2', secondMajor],
] as const)('%s', (_, connected) => {
  it('has a span on the client, and one on the server in the same trace', async () => {
    recorder = record();
    const { client, close } = await connected();
    observeMcpClient(client, { trusted: true });
    const call = { name: 'get_weather', arguments: { city: 'Paris' } };
    const result = await withTask({ workflow: 'w', id: 't' }, () => client.callTool(call));
    await close();
    expect(result.content).toEqual([{ type: 'text', text: 'sunny in Paris' }]);
    const asked = recorder.span('tools/call get_weather');
    const ran = recorder.span('execute_tool get_weather');
    expect(asked.attributes).toMatchObject({
      'agent.task.id': 't',
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'get_weather',
      'agent.tool.result.shape': 'string',
      'agent.tool.result.bytes': 14,
      'agent.tool.result.error_like': false,
    });
    expect(asked.attributes['agent.tool.arguments.hash']).toBe(
      ran.attributes['agent.tool.arguments.hash'],
    );
    expect(ran.spanContext().traceId).toBe(asked.spanContext().traceId);
    expect(ran.attributes['agent.task.id']).toBe('t');
  });

  it('shows a tool that failed as failed on both sides, and changes nothing for the caller', async () => {
    recorder = record();
    const { client, close } = await connected();
    observeMcpClient(client);
    const result = await client.callTool({ name: 'broken', arguments: { city: 'Paris' } });
    await close();
    expect(result.isError).toBe(true);
    expect(recorder.span('tools/call broken').attributes).toMatchObject({
      'error.type': 'tool_error',
      'agent.tool.result.shape': 'string',
    });
    expect(recorder.span('execute_tool broken').status.code).toBe(2);
  });
});
