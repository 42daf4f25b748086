import { customers, orders } from './shop.ts';

/** What the model says at one step. `fail`: the provider refuses that often first, with this status. */
export interface Turn {
  readonly say?: string;
  readonly call?: { readonly tool: string; readonly args: Readonly<Record<string, unknown>> };
  readonly cut?: boolean;
  readonly fail?: { readonly status: 429 | 500; readonly times: number };
}

/** One customer's request and everything the model will say to it, by agent. */
export interface Scenario {
  readonly id: string;
  readonly session: string;
  readonly user: string;
  readonly question: string;
  readonly support: readonly Turn[];
  readonly refunds?: readonly Turn[];
  /** How a person answers the request for approval; `later`: after the process has let go of the task. */
  readonly approval?: 'granted' | 'denied' | 'later';
  readonly stream: boolean;
  readonly verdict?: {
    readonly outcome: 'success' | 'failure';
    readonly source: 'feedback' | 'evaluation';
    readonly reason: string;
  };
}

/** The task that the demo explains at its end. */
export const SHOWN_TASK = 'refund-1042';

const solved = { outcome: 'success', source: 'evaluation', reason: 'resolved' } as const;
const failed = (reason: string) => ({ outcome: 'failure', source: 'evaluation', reason }) as const;

type Told = Omit<Scenario, 'id' | 'session' | 'user' | 'stream'>;

function ticket(kind: string, number: number, told: Told): Scenario {
  const id = `${kind}-${number}`;
  return {
    id,
    session: `chat-${number}`,
    user: `customer-${number}`,
    // Half of them stream, so that both shapes of the wire are seen.
    stream: number % 2 === 0,
    ...told,
  };
}

function statusTicket(number: number, orderId: string, fail?: Turn['fail']): Scenario {
  const order = orders.get(orderId);
  const first: Turn = { call: { tool: 'lookup_order', args: { order_id: orderId } } };
  return ticket('status', number, {
    question: `Where is my order ${orderId}?`,
    support: [
      fail ? { ...first, fail } : first,
      {
        say: `Your ${order?.item} is ${order?.status} with ${order?.carrier}; expected ${order?.eta}.`,
      },
    ],
    verdict: solved,
  });
}

function questionTicket(number: number, topic: string, answer: string): Scenario {
  return ticket('question', number, {
    question: `I have a question about ${topic}.`,
    support: [{ call: { tool: 'search_kb', args: { query: topic } } }, { say: answer }],
    verdict: solved,
  });
}

/** Support looks the order up, hands over to refunds; refunds asks a person, books, writes an e-mail and answers. */
function refundTicket(
  number: number,
  orderId: string,
  approval: Scenario['approval'],
  mail = 'A confirmation is in your mail.',
): Scenario {
  const order = orders.get(orderId);
  const customer = customers.get(order?.customer_id ?? '');
  const amount = order?.total_usd ?? 0;
  const email = {
    to: customer?.email ?? '',
    template: 'refund-confirmation',
    order_id: orderId,
  };
  const booked: readonly Turn[] = [
    { call: { tool: 'send_email', args: email } },
    { say: `I refunded $${amount} for the ${order?.item}. ${mail}` },
  ];
  const refused: readonly Turn[] = [
    { say: 'I am sorry: a colleague declined the refund, the order is past its 30 days.' },
  ];
  return ticket('refund', number, {
    question: `The ${order?.item} of order ${orderId} does not work. I would like my money back.`,
    support: handOver(orderId, 'customer wants the full amount back'),
    refunds: [
      {
        say: 'The order and its owner must match before money moves.',
        call: { tool: 'get_customer', args: { customer_id: order?.customer_id ?? '' } },
      },
      { call: { tool: 'issue_refund', args: { order_id: orderId, amount_usd: amount } } },
      ...(approval === 'denied' ? refused : booked),
    ],
    ...(approval && { approval }),
    verdict: solved,
  });
}

function handOver(orderId: string, summary: string): Turn[] {
  return [
    { call: { tool: 'lookup_order', args: { order_id: orderId } } },
    { call: { tool: 'route_request', args: { order_id: orderId, summary } } },
  ];
}

/** The one to look at: a refusal inside a 200, then an amount that comes from nowhere. */
const shown = ticket('refund', 1042, {
  question:
    'The water tank of my espresso machine (order 8841) arrived cracked. Please refund the damaged part only.',
  support: handOver('8841', 'damaged part: cracked water tank'),
  refunds: [
    { call: { tool: 'get_customer', args: { customer_id: 'C-3309' } } },
    { call: { tool: 'issue_refund', args: { order_id: '8841', amount_usd: 318.5 } } },
    { call: { tool: 'issue_refund', args: { order_id: '8841', amount_usd: 45 } } },
    { say: 'I refunded $45 for the cracked water tank.' },
  ],
  approval: 'granted',
  verdict: failed('refunded $45.00, the part costs $62.50'),
});

/** The order service answers with an error in a 200; the agent tells the customer something all the same. */
function ignoredError(number: number, orderId: string): Scenario {
  return ticket('status', number, {
    question: `Has my parcel ${orderId} left your warehouse?`,
    support: [
      { call: { tool: 'lookup_order', args: { order_id: orderId } } },
      { say: 'Yes, it left our warehouse this morning and will arrive on Friday.' },
    ],
    verdict: { ...failed('nothing was shipped'), source: 'feedback' },
  });
}

const inventedTool = ticket('cancel', 1091, {
  question: 'Please cancel my order 8812.',
  support: [
    { call: { tool: 'lookup_order', args: { order_id: '8812' } } },
    { call: { tool: 'cancel_order', args: { order_id: '8812' } } },
    { say: 'I have cancelled order 8812 for you.' },
  ],
  verdict: failed('the order was not cancelled'),
});

function loop(number: number, topic: string): Scenario {
  const again: Turn = { call: { tool: 'search_kb', args: { query: topic } } };
  return ticket('question', number, {
    question: `Do you have ${topic}?`,
    support: [again, again, again, again, { say: 'I could not find anything about that.' }],
    verdict: failed('no answer, the same search four times'),
  });
}

const truncated = ticket('question', 1095, {
  question: 'How do the return rules compare for every product group?',
  support: [
    { call: { tool: 'search_kb', args: { query: 'return rules by product group' } } },
    {
      say: 'The return rules in detail: clothing can be returned within 30 days, unused and in its box; tents',
      cut: true,
    },
  ],
  verdict: { ...failed('the answer stops in the middle'), source: 'feedback' },
});

const crashed = ticket('status', 1097, {
  question: 'Where is my order 8834?',
  support: [
    {
      call: { tool: 'lookup_order', args: { order_id: '8834' } },
      fail: { status: 500, times: 9 },
    },
  ],
});

function escalated(number: number, reason: string): Scenario {
  return ticket('complaint', number, {
    question: `I am unhappy: ${reason}. I want to talk to a person.`,
    support: [
      { call: { tool: 'escalate_to_human', args: { reason } } },
      { say: 'A colleague will call you within the hour.' },
    ],
  });
}

/** The live tasks of the demo, in the order in which they start. */
export const scenarios: readonly Scenario[] = [
  refundTicket(1058, '8852', 'later'),
  statusTicket(1001, '8801'),
  statusTicket(1002, '8807'),
  questionTicket(1003, 'shipping cost', 'Shipping costs $4.90 and is free from $60.'),
  shown,
  statusTicket(1004, '8815', { status: 429, times: 1 }),
  refundTicket(1043, '8807', 'granted'),
  questionTicket(1005, 'returns', 'You can return it within 30 days of delivery, in its box.'),
  statusTicket(1006, '8819'),
  ignoredError(1092, '9912'),
  questionTicket(1007, 'the warranty', 'The warranty is two years and covers faults in material.'),
  statusTicket(1008, '8823'),
  refundTicket(1044, '8819', 'granted'),
  loop(1093, 'the lantern from 1998'),
  statusTicket(1009, '8828', { status: 500, times: 1 }),
  questionTicket(1010, 'gift cards', 'They are valid for three years.'),
  escalated(1081, 'the third late parcel in a row'),
  statusTicket(1011, '8834'),
  refundTicket(1045, '8828', 'granted', 'The confirmation failed and follows later.'),
  inventedTool,
  questionTicket(1012, 'my invoice', 'You find it in your account under Orders, as PDF.'),
  statusTicket(1013, '8846'),
  truncated,
  refundTicket(1066, '8857', 'denied'),
  questionTicket(1014, 'a new address', 'You can change it until the order is packed.'),
  statusTicket(1015, '8852'),
  refundTicket(1046, '8846', 'granted'),
  ignoredError(1094, '9917'),
  questionTicket(1016, 'return of a gift', 'You can return it within 30 days, in its box.'),
  statusTicket(1017, '8812', { status: 429, times: 1 }),
  loop(1096, 'student discounts'),
  questionTicket(1018, 'express shipping', 'Standard shipping takes 3 to 5 days.'),
  refundTicket(1047, '8815', 'granted'),
  crashed,
  statusTicket(1019, '8857'),
  escalated(1082, 'nobody answered my letter'),
  questionTicket(
    1020,
    'the warranty of a tent',
    'Two years from delivery, for faults in material.',
  ),
  refundTicket(1048, '8801', 'granted'),
  statusTicket(1021, '8841'),
  questionTicket(1022, 'shipping abroad', 'Standard shipping takes 3 to 5 days.'),
];
