/** The metrics of a process by the names that Prometheus's own clients give them, and which Plumbline it is. */
export function processMetrics(version: string) {
  const { user, system } = process.cpuUsage();
  const metric = (type: 'counter' | 'gauge', name: string, help: string, value: number) => ({
    name: `process_${name}`,
    help,
    type,
    samples: [{ value }],
  });
  return [
    metric('counter', 'cpu_seconds_total', 'Processor time.', (user + system) / 1e6),
    metric(
      'gauge',
      'resident_memory_bytes',
      'Memory of Plumbline and, embedded, its database.',
      process.memoryUsage.rss(),
    ),
    metric('gauge', 'start_time_seconds', 'When it began, since 1970.', startedAt / 1000),
    {
      name: 'plumbline_build_info',
      help: 'Always 1.',
      type: 'gauge' as const,
      samples: [{ labels: { version, node: process.version }, value: 1 }],
    },
  ];
}

const startedAt = Math.round(performance.timeOrigin);
