import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { batch, type Plain, span } from './fixtures.ts';
import type { Message } from './messages.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';

// Four frameworks on one task, recorded by any-agent; its attributes are close to OTel's but not the same.
const data =
  process.env['PLUMBLINE_TEST_DATA'] ?? new URL('../../../shared/data', import.meta.url).pathname;
const frameworks = ['GOOGLE', 'LANGCHAIN', 'OPENAI', 'TINYAGENT'];
const recorded = frameworks
  .map((name) => `${data}/any-agent/${name}_trace.json`)
  .filter((file) => existsSync(file));

interface Recorded {
  readonly spans: readonly {
    readonly name: string;
    readonly attributes: { readonly [key: string]: Plain };
  }[];
}

// A call as in the recordings, so that the dialect is tested where they are absent.
const sample: Recorded = {
  spans: [
    {
      name: 'call_llm mistral/mistral-small-latest',
      attributes: {
        'gen_ai.operation.name': 'call_llm',
        'gen_ai.request.model': 'mistral/mistral-small-latest',
        'gen_ai.input.messages':
          '[{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Which year?"}]',
        'gen_ai.output':
          '[{"tool.name": "get_current_time", "tool.args": "{\\"timezone\\": \\"UTC\\"}"}]',
        'gen_ai.usage.input_tokens': 672,
        'gen_ai.usage.output_tokens': 16,
        'gen_ai.usage.input_cost': 0.0000672,
        'gen_ai.usage.output_cost': 0.0000048,
      },
    },
    {
      name: 'execute_tool get_current_time',
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'get_current_time',
        'gen_ai.tool.args': '{"timezone": "UTC"}',
        'gen_ai.output': '{"datetime": "2025-09-16"}',
      },
    },
  ],
};

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

const traces: [string, Recorded][] = [['sample', sample]];
for (const file of recorded) {
  traces.push([file.split('/').at(-1) ?? '', JSON.parse(readFileSync(file, 'utf8')) as Recorded]);
}

describe.each(traces)('any-agent: %s', (_name, trace) => {
  it('loses no field that is there', () => {
    const given = trace.spans.map(({ name, attributes }) => span({ name, attributes }));
    const { spans, messages } = normaliser.normaliseSpans('p', [batch(given)]);
    const contents = new Map(messages.map((m) => [m.hash, m.content]));
    trace.spans.forEach(({ attributes: a }, i) => {
      const row = spans[i]!;
      const operation = String(a['gen_ai.operation.name']);
      if (operation === 'call_llm') {
        expect(row).toMatchObject({
          kind: 'llm',
          provider: 'mistral_ai',
          request_model: 'mistral/mistral-small-latest',
          input_tokens: BigInt(Number(a['gen_ai.usage.input_tokens'])),
          output_tokens: BigInt(Number(a['gen_ai.usage.output_tokens'])),
          cost_reported:
            Number(a['gen_ai.usage.input_cost']) + Number(a['gen_ai.usage.output_cost']),
        });
        const [output] = row.output_messages.map((h) => JSON.parse(contents.get(h)!) as Message);
        expect(output?.role).toBe('assistant');
        const given = String(a['gen_ai.output']);
        const call = /^\[\{"tool\.name": "(\w+)"/.exec(given)?.[1];
        if (call !== undefined)
          expect(output?.parts[0]).toMatchObject({ type: 'tool_call', name: call });
        if (a['gen_ai.input.messages'] !== undefined) {
          expect(row.system_instructions).toHaveLength(1);
          expect(row.input_messages.length).toBeGreaterThan(0);
        }
      }
      if (operation === 'execute_tool') {
        expect(row).toMatchObject({
          kind: 'tool',
          tool_name: a['gen_ai.tool.name'],
          tool_error_by: '',
        });
        expect(row.tool_arguments.map((h) => contents.get(h))).toEqual([a['gen_ai.tool.args']]);
        expect(row.tool_result.map((h) => contents.get(h))).toEqual([a['gen_ai.output']]);
      }
      if (operation === 'invoke_agent') {
        expect(row).toMatchObject({ kind: 'agent', agent_name: a['gen_ai.agent.name'] });
      }
    });
  });
});
