import { createRequire } from 'node:module';
import { McpInstrumentation } from '@traceloop/instrumentation-mcp';
import { request, start, weather } from './otel.mjs';

const instrumentation = new McpInstrumentation();
const sdk = start([instrumentation]);
const require = createRequire(import.meta.url);
const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
const { InMemoryTransport } = require('@modelcontextprotocol/sdk/inMemory.js');
const { z } = require('zod');
instrumentation.manuallyInstrument({ Client });

const server = new McpServer({ name: 'weather', version: '1.0.0' });
server.registerTool(
  'get_weather',
  { description: 'Weather of a city', inputSchema: { city: z.string() } },
  ({ city }) => ({ content: [{ type: 'text', text: weather(city) }] }),
);
const [a, b] = InMemoryTransport.createLinkedPair();
const client = new Client({ name: 'shop', version: '1.0.0' });
await Promise.all([server.connect(a), client.connect(b)]);
await request(sdk, async () => {
  await client.callTool({ name: 'get_weather', arguments: { city: 'Paris' } });
});
