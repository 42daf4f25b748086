/** One Prometheus metric family. Values of a gauge may be unknown: then the sample is left out. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** Of a histogram's sample: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number | null;
}

/** Prometheus text exposition format 0.0.4. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...samples.flatMap((sample) => line(name, sample)),
    ])
    .map((text) => `${text}\n`)
    .join('');
}

function line(name: string, { suffix = '', labels = {}, value }: Sample): string[] {
  if (value === null) return [];
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  return [`${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`];
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
