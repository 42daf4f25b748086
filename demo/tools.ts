import { setTimeout as sleep } from 'node:timers/promises';
import { type ToolCallRef, tool } from '@plumbline/instrumentation';
import type { ChatCompletionTool } from 'openai/resources/chat/completions';
import { z } from 'zod';
import { customers, orderOf, partPrice, refund, searchArticles } from './shop.ts';

const orderId = z.string().describe('Number of the order, four digits');

/** A tool as the model sees it, and the wrapped function behind it. */
interface Offered {
  readonly description: string;
  readonly input: z.ZodType;
  readonly run: (args: never, call: ToolCallRef) => Promise<unknown>;
}

const lookupOrder = z.object({ order_id: orderId });
const getCustomer = z.object({ customer_id: z.string() });
const searchKb = z.object({ query: z.string() });
const getPartPrice = z.object({ order_id: orderId, part: z.string() });
const issueRefund = z.object({ order_id: orderId, amount_usd: z.number() });
const sendEmail = z.object({ to: z.email(), template: z.string(), order_id: orderId });
const routeRequest = z.object({ order_id: orderId, summary: z.string() });
const escalate = z.object({ reason: z.string() });

/** An address whose mail server is down; the agent answers the customer all the same. */
const UNREACHABLE = 'greta.lind@example.com';

/** Everything the two agents can do. The waits are those of the services behind a real shop, shortened. */
const tools = {
  lookup_order: {
    description: 'Looks an order up by its number.',
    input: lookupOrder,
    run: tool({ name: 'lookup_order', input: lookupOrder, effect: 'read' }, async (args) => {
      await sleep(12);
      return orderOf(args.order_id);
    }),
  },
  get_customer: {
    description: 'Reads a customer: name, e-mail address, tier.',
    input: getCustomer,
    run: tool({ name: 'get_customer', input: getCustomer, effect: 'read' }, async (args) => {
      await sleep(8);
      return customers.get(args.customer_id) ?? { error: 'no such customer' };
    }),
  },
  search_kb: {
    description: 'Searches the knowledge base.',
    input: searchKb,
    run: tool({ name: 'search_kb', input: searchKb, effect: 'read' }, async (args) => {
      await sleep(15);
      return searchArticles(args.query);
    }),
  },
  get_part_price: {
    description: 'List price of a spare part, in USD.',
    input: getPartPrice,
    run: tool({ name: 'get_part_price', input: getPartPrice, effect: 'read' }, async (args) => {
      await sleep(8);
      return partPrice(args.part);
    }),
  },
  issue_refund: {
    description: 'Pays an amount of an order back. Needs the approval of a person.',
    input: issueRefund,
    run: tool(
      { name: 'issue_refund', input: issueRefund, effect: 'write', risk: 'high' },
      async (args) => {
        await sleep(20);
        return refund(args.order_id, args.amount_usd);
      },
    ),
  },
  send_email: {
    description: 'Sends an e-mail to a customer.',
    input: sendEmail,
    run: tool({ name: 'send_email', input: sendEmail, effect: 'write' }, async (args) => {
      await sleep(10);
      if (args.to === UNREACHABLE) throw new Error('SMTP 451: try again later');
      return { queued: true };
    }),
  },
  route_request: {
    description: 'Finds the agent that may deal with a request.',
    input: routeRequest,
    run: tool({ name: 'route_request', input: routeRequest, effect: 'read' }, async () => ({
      agent: 'refunds',
    })),
  },
  escalate_to_human: {
    description: 'Hands the customer to a person.',
    input: escalate,
    run: tool({ name: 'escalate_to_human', input: escalate, effect: 'write' }, async () => ({
      queue: 'support-desk',
    })),
  },
} as const satisfies Readonly<Record<string, Offered>>;

type ToolName = keyof typeof tools;

/** Runs the tool that a model called; the arguments are the model's, unchecked. Undefined: there is no such tool. */
export function runTool(
  name: string,
  args: unknown,
  call: ToolCallRef,
): Promise<unknown> | undefined {
  const found: Offered | undefined = Object.hasOwn(tools, name)
    ? tools[name as ToolName]
    : undefined;
  return found?.run(args as never, call);
}

/** Which tools each agent is offered. */
const toolsets: Readonly<Record<'support' | 'refunds', readonly ToolName[]>> = {
  support: ['lookup_order', 'search_kb', 'route_request', 'escalate_to_human'],
  refunds: [
    'lookup_order',
    'get_customer',
    'get_part_price',
    'search_kb',
    'issue_refund',
    'send_email',
  ],
};

/** A toolset as a chat request offers it. */
export function offered(agent: 'support' | 'refunds'): ChatCompletionTool[] {
  return toolsets[agent].map((name) => ({
    type: 'function',
    function: {
      name,
      description: tools[name].description,
      parameters: z.toJSONSchema(tools[name].input, { io: 'input' }),
    },
  }));
}
