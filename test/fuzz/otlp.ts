/**
 * OTLP requests as plain data in OTLP/JSON's shape, and a table-driven writer of the same data as protobuf. Lenient on
 * purpose: wrong lengths, types and ranges go onto the wire as they are, which no SDK would do.
 */
export type Data = { [key: string]: unknown };

type Scalar = 'string' | 'hex' | 'base64' | 'varint' | 'sint' | 'fixed32' | 'fixed64' | 'double';
/** Fields by JSON name: number, and a scalar or a nested message. */
export interface Message {
  readonly [name: string]: readonly [number: number, kind: Scalar | (() => Message)];
}

const anyValue: Message = {
  stringValue: [1, 'string'],
  boolValue: [2, 'varint'],
  intValue: [3, 'varint'],
  doubleValue: [4, 'double'],
  arrayValue: [5, () => ({ values: [1, () => anyValue] })],
  kvlistValue: [6, () => ({ values: [1, () => keyValue] })],
  bytesValue: [7, 'base64'],
};
const keyValue: Message = { key: [1, 'string'], value: [2, () => anyValue] };
const resource: Message = { attributes: [1, () => keyValue] };
const scope: Message = {
  name: [1, 'string'],
  version: [2, 'string'],
  attributes: [3, () => keyValue],
};
const event: Message = {
  timeUnixNano: [1, 'fixed64'],
  name: [2, 'string'],
  attributes: [3, () => keyValue],
};
const link: Message = {
  traceId: [1, 'hex'],
  spanId: [2, 'hex'],
  traceState: [3, 'string'],
  attributes: [4, () => keyValue],
};
const span: Message = {
  traceId: [1, 'hex'],
  spanId: [2, 'hex'],
  traceState: [3, 'string'],
  parentSpanId: [4, 'hex'],
  name: [5, 'string'],
  kind: [6, 'varint'],
  startTimeUnixNano: [7, 'fixed64'],
  endTimeUnixNano: [8, 'fixed64'],
  attributes: [9, () => keyValue],
  events: [11, () => event],
  links: [13, () => link],
  status: [15, () => ({ message: [2, 'string'], code: [3, 'varint'] })],
  flags: [16, 'fixed32'],
};
const logRecord: Message = {
  timeUnixNano: [1, 'fixed64'],
  severityNumber: [2, 'varint'],
  severityText: [3, 'string'],
  body: [5, () => anyValue],
  attributes: [6, () => keyValue],
  flags: [8, 'fixed32'],
  traceId: [9, 'hex'],
  spanId: [10, 'hex'],
  observedTimeUnixNano: [11, 'fixed64'],
  eventName: [12, 'string'],
};

const exemplar: Message = {
  timeUnixNano: [2, 'fixed64'],
  asDouble: [3, 'double'],
  spanId: [4, 'hex'],
  traceId: [5, 'hex'],
  asInt: [6, 'fixed64'],
  filteredAttributes: [7, () => keyValue],
};
const times: Message = { startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'] };
const numberPoint: Message = {
  ...times,
  asDouble: [4, 'double'],
  exemplars: [5, () => exemplar],
  asInt: [6, 'fixed64'],
  attributes: [7, () => keyValue],
  flags: [8, 'varint'],
};
const histogramPoint: Message = {
  ...times,
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  bucketCounts: [6, 'fixed64'],
  explicitBounds: [7, 'double'],
  exemplars: [8, () => exemplar],
  attributes: [9, () => keyValue],
  flags: [10, 'varint'],
  min: [11, 'double'],
  max: [12, 'double'],
};
const buckets: Message = { offset: [1, 'sint'], bucketCounts: [2, 'varint'] };
const exponentialPoint: Message = {
  ...times,
  attributes: [1, () => keyValue],
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  scale: [6, 'sint'],
  zeroCount: [7, 'fixed64'],
  positive: [8, () => buckets],
  negative: [9, () => buckets],
  flags: [10, 'varint'],
  exemplars: [11, () => exemplar],
  min: [12, 'double'],
  max: [13, 'double'],
  zeroThreshold: [14, 'double'],
};
const summaryPoint: Message = {
  ...times,
  count: [4, 'fixed64'],
  sum: [5, 'double'],
  quantileValues: [6, () => ({ quantile: [1, 'double'], value: [2, 'double'] })],
  attributes: [7, () => keyValue],
  flags: [8, 'varint'],
};
const points = (point: Message): Message => ({
  dataPoints: [1, () => point],
  aggregationTemporality: [2, 'varint'],
  isMonotonic: [3, 'varint'],
});
const metric: Message = {
  name: [1, 'string'],
  description: [2, 'string'],
  unit: [3, 'string'],
  gauge: [5, () => points(numberPoint)],
  sum: [7, () => points(numberPoint)],
  histogram: [9, () => points(histogramPoint)],
  exponentialHistogram: [10, () => points(exponentialPoint)],
  summary: [11, () => points(summaryPoint)],
};

/** ExportMetricsServiceRequest. */
export const metricsRequest: Message = {
  resourceMetrics: [
    1,
    () => ({
      resource: [1, () => resource],
      scopeMetrics: [2, () => ({ scope: [1, () => scope], metrics: [2, () => metric] })],
    }),
  ],
};

/** ExportTraceServiceRequest. */
export const traceRequest: Message = {
  resourceSpans: [
    1,
    () => ({
      resource: [1, () => resource],
      scopeSpans: [2, () => ({ scope: [1, () => scope], spans: [2, () => span] })],
    }),
  ],
};

/** ExportLogsServiceRequest. */
export const logsRequest: Message = {
  resourceLogs: [
    1,
    () => ({
      resource: [1, () => resource],
      scopeLogs: [2, () => ({ scope: [1, () => scope], logRecords: [2, () => logRecord] })],
    }),
  ],
};

/** Protobuf bytes of a message; lists are repeated fields, unknown names are left out. */
export function encodeProtobuf(message: Message, data: Data): Buffer {
  const parts: Uint8Array[] = [];
  for (const [name, value] of Object.entries(data)) {
    const field = Object.hasOwn(message, name) ? message[name] : undefined;
    if (field === undefined || value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      parts.push(...encodeField(field[0], field[1], one));
    }
  }
  return Buffer.concat(parts);
}

function encodeField(number: number, kind: Scalar | (() => Message), value: unknown): Uint8Array[] {
  if (typeof kind === 'function') return bytes(number, encodeProtobuf(kind(), value as Data));
  switch (kind) {
    case 'string':
      return bytes(number, Buffer.from(String(value)));
    case 'hex':
      return bytes(number, Buffer.from(String(value), 'hex'));
    case 'base64':
      return bytes(number, Buffer.from(String(value), 'base64'));
    case 'varint':
      return [varint(BigInt(number << 3)), varint(integer(value))];
    case 'sint': {
      const plain = integer(value);
      return [varint(BigInt(number << 3)), varint(plain < 0n ? -2n * plain - 1n : 2n * plain)];
    }
    case 'fixed32': {
      const out = Buffer.alloc(4);
      out.writeUInt32LE(Number(BigInt.asUintN(32, integer(value))));
      return [varint(BigInt((number << 3) | 5)), out];
    }
    case 'fixed64': {
      const out = Buffer.alloc(8);
      out.writeBigUInt64LE(BigInt.asUintN(64, integer(value)));
      return [varint(BigInt((number << 3) | 1)), out];
    }
    case 'double': {
      const out = Buffer.alloc(8);
      out.writeDoubleLE(Number(value));
      return [varint(BigInt((number << 3) | 1)), out];
    }
  }
}

function integer(value: unknown): bigint {
  try {
    return BigInt(value as string | number | bigint | boolean);
  } catch {
    return 0n;
  }
}

/** A length-delimited field: tag, length, content. */
export function bytes(number: number, content: Uint8Array): Uint8Array[] {
  return [varint(BigInt((number << 3) | 2)), varint(BigInt(content.length)), content];
}

/** LEB128 of the low 64 bits. */
export function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, value);
  const out: number[] = [];
  while (rest >= 128n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

/** `{key, value}` pairs of plain text, integers and booleans. */
export function attributes(from: Readonly<Record<string, string | number | boolean>>): Data[] {
  return Object.entries(from).map(([key, value]) => ({ key, value: anyValueOf(value) }));
}

/** An AnyValue of a scalar. */
export function anyValueOf(value: string | number | boolean): Data {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
