/** What the support agent's tools read and write: a shop of a dozen orders, in memory. */
export interface Order {
  readonly order_id: string;
  readonly customer_id: string;
  readonly item: string;
  readonly total_usd: number;
  readonly status: string;
  readonly carrier: string;
  readonly eta: string;
}

export interface Customer {
  readonly customer_id: string;
  readonly name: string;
  readonly email: string;
  readonly tier: string;
}

const rows: readonly (readonly [string, string, string, number, string, string, string])[] = [
  ['8801', 'C-3301', 'rain jacket', 129.0, 'shipped', 'DHL', '2026-05-22'],
  ['8807', 'C-3302', 'trail shoes', 148.2, 'delivered', 'UPS', '2026-05-14'],
  ['8812', 'C-3303', 'head torch', 39.9, 'packing', 'DHL', '2026-05-25'],
  ['8815', 'C-3304', 'camping stove', 84.5, 'shipped', 'GLS', '2026-05-21'],
  ['8819', 'C-3305', 'sleeping bag', 219.0, 'delivered', 'UPS', '2026-05-11'],
  ['8823', 'C-3306', 'water filter', 46.75, 'shipped', 'DHL', '2026-05-23'],
  ['8828', 'C-3307', 'climbing rope', 174.3, 'delivered', 'GLS', '2026-05-09'],
  ['8834', 'C-3308', 'dry bag', 27.5, 'shipped', 'UPS', '2026-05-24'],
  ['8841', 'C-3309', 'espresso machine', 318.5, 'delivered', 'DHL', '2026-05-12'],
  ['8846', 'C-3310', 'trekking poles', 96.4, 'delivered', 'UPS', '2026-05-13'],
  ['8852', 'C-3311', 'family tent', 489.0, 'delivered', 'DHL', '2026-05-10'],
  ['8857', 'C-3312', 'duffel bag', 112.8, 'delivered', 'GLS', '2026-03-02'],
];

export const orders: ReadonlyMap<string, Order> = new Map(
  rows.map(([order_id, customer_id, item, total_usd, status, carrier, eta]) => [
    order_id,
    { order_id, customer_id, item, total_usd, status, carrier, eta },
  ]),
);

const names = [
  'Ada Byrne',
  'Ben Okafor',
  'Cleo Marsh',
  'Dev Patel',
  'Elif Kaya',
  'Finn Moe',
  'Greta Lind',
  'Hugo Sanz',
  'Ines Rocha',
  'Jon Bell',
  'Kira Novak',
  'Leo Brandt',
] as const;

export const customers: ReadonlyMap<string, Customer> = new Map(
  names.map((name, index) => {
    const customer_id = `C-${3301 + index}`;
    const email = `${name.toLowerCase().replace(' ', '.')}@example.com`;
    return [customer_id, { customer_id, name, email, tier: index % 4 === 0 ? 'gold' : 'basic' }];
  }),
);

const articles: readonly (readonly [RegExp, string, string])[] = [
  [/return/, 'kb-12', 'Goods can be returned within 30 days of delivery, unused and in their box.'],
  [/shipping/, 'kb-07', 'Standard shipping takes 3 to 5 days and costs $4.90; free from $60.'],
  [/warranty/, 'kb-21', 'The warranty is two years from delivery and covers faults in material.'],
  [/gift/, 'kb-30', 'Gift cards are valid for three years and cannot be paid out.'],
  [/part/, 'kb-15', 'A damaged part is refunded at its list price, not at the price of the order.'],
  [/address/, 'kb-03', 'An address can be changed until the order is packed.'],
  [/invoice/, 'kb-18', 'Invoices are in the account under Orders, as PDF.'],
];

/** Articles of the knowledge base that fit a query; none is an empty list. */
export function searchArticles(query: string): { id: string; text: string }[] {
  return articles
    .filter(([pattern]) => pattern.test(query.toLowerCase()))
    .map(([, id, text]) => ({ id, text }));
}

/** The order as the order service tells it. It reports its own failures with HTTP status 200 too. */
export function orderOf(orderId: string): Order | Readonly<Record<string, string>> {
  return orders.get(orderId) ?? { error: 'order service timed out', order_id: orderId };
}

/** List price of a spare part, in USD: what a damaged part is refunded at. */
export function partPrice(part: string): Readonly<Record<string, unknown>> {
  return { part, list_price_usd: /tank/.test(part) ? 62.5 : 18 };
}

/**
 * What the ledger answers to a refund: always with HTTP status 200, also when it refuses. That is the trap in which the
 * demo's agent gets caught.
 */
export function refund(orderId: string, amountUsd: number): Readonly<Record<string, unknown>> {
  const order = orders.get(orderId);
  if (order === undefined) return { error: 'unknown order', order_id: orderId };
  if (order.item === 'espresso machine' && amountUsd === order.total_usd) {
    return { error: 'amount is not the list price of the damaged part', order_id: orderId };
  }
  return { refund_id: `R-${orderId}`, order_id: orderId, amount_usd: amountUsd, status: 'booked' };
}
