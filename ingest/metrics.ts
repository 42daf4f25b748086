import { bucketBounds, type Timing } from './counters.ts';
import type { IngestStats } from './stats.ts';

/** One Prometheus metric family. */
export interface IngestMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly {
    /** `_bucket`, `_sum` or `_count` of a histogram. */
    readonly suffix?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

type Counts = Readonly<Record<string, number>>;

/** Ingest's own telemetry, for Prometheus. */
export function ingestMetrics(stats: IngestStats): IngestMetric[] {
  const { journal, memory, quarantine } = stats;
  return [
    counts('requests_total', 'Requests by what became of them.', 'outcome', stats.requests),
    counts(
      'items_received_total',
      'Spans, log records and data points in.',
      'signal',
      stats.received,
    ),
    counts('items_accepted_total', 'Items acknowledged.', 'signal', stats.accepted),
    counts(
      'items_deduplicated_total',
      'Accepted items of requests that were durable already.',
      'signal',
      stats.deduplicated,
    ),
    counts('items_rejected_total', 'Items refused, by rule.', 'rule', stats.rejected),
    counts('courtesy_requests_total', 'Requests to a misdirected path.', 'path', stats.courtesy),
    counter('received_bytes_total', 'Bodies as received.', stats.receivedBytes),
    counter('decompressed_bytes_total', 'Bodies decompressed.', stats.decompressedBytes),
    gauge('journal_bytes', 'Accepted and not yet stored and derived.', journal.bytes),
    gauge('journal_max_bytes', 'Bound of journal_bytes; beyond it 503.', journal.maxBytes),
    gauge('journal_disk_bytes', 'Journal files on disk.', journal.diskBytes),
    gauge('journal_age_seconds', 'Age of the oldest request being stored.', journal.ageMs / 1000),
    counter(
      'journal_failed_appends_total',
      'Requests that the disk refused.',
      journal.failedAppends,
    ),
    gauge('journal_torn_bytes', 'Cut off at start, never acknowledged.', journal.tornBytes),
    counter(
      'journal_damaged_bytes_total',
      'Journal bytes that cannot be read.',
      journal.damagedBytes,
    ),
    gauge('in_flight_bytes', 'Request bodies in memory.', memory.inFlightBytes),
    gauge('queue_bytes', 'Decoded requests in memory.', memory.queueBytes),
    gauge('blocked', '1 while the store does not take data.', stats.blockedBy === null ? 0 : 1),
    counter('retries_total', 'Repeated attempts to store a batch.', stats.retries),
    counter('underived_total', 'Traces and tasks whose derivation was given up.', stats.underived),
    ...timings('insert', 'Inserting a batch.', stats.insert),
    ...timings('derive', 'Deriving the tasks of a batch.', stats.derive),
    ...timings('fresh', 'From receipt to readable, oldest of a batch.', stats.fresh),
    ...timings('lag', 'From receipt to stored and derived, oldest of a batch.', stats.lag),
    gauge('held_back', 'Traces of large tasks that wait to be derived.', stats.heldBack.ids),
    gauge('held_back_seconds', 'For how long the oldest waits.', stats.heldBack.ageMs / 1000),
    gauge('quarantine_requests', 'Requests set aside.', quarantine.requests),
    gauge('quarantine_bytes', 'Bytes of requests set aside.', quarantine.bytes),
  ];
}

function metric(
  type: IngestMetric['type'],
  name: string,
  help: string,
  samples: IngestMetric['samples'],
): IngestMetric {
  return { name: `plumbline_ingest_${name}`, help, type, samples };
}

function counter(name: string, help: string, value: number): IngestMetric {
  return metric('counter', name, help, [{ value }]);
}

function gauge(name: string, help: string, value: number): IngestMetric {
  return metric('gauge', name, help, [{ value }]);
}

function counts(name: string, help: string, label: string, values: Counts): IngestMetric {
  const samples = Object.entries(values).map(([key, value]) => ({
    labels: { [label]: key },
    value,
  }));
  return metric('counter', name, help, samples);
}

function timings(name: string, help: string, timing: Readonly<Timing>): IngestMetric[] {
  return [
    metric('histogram', `${name}_seconds`, help, histogram(timing)),
    gauge(`${name}_last_seconds`, help, timing.lastMs / 1000),
    gauge(`${name}_max_seconds`, help, timing.maxMs / 1000),
  ];
}

/** Prometheus buckets are cumulative, in seconds. */
function histogram({ buckets, count, totalMs }: Readonly<Timing>): IngestMetric['samples'] {
  let below = 0;
  const samples = [...bucketBounds, Infinity].map((bound, i) => {
    below += buckets[i] ?? 0;
    const le = bound === Infinity ? '+Inf' : String(bound / 1000);
    return { suffix: '_bucket', labels: { le }, value: below };
  });
  return [
    ...samples,
    { suffix: '_sum', value: totalMs / 1000 },
    { suffix: '_count', value: count },
  ];
}
