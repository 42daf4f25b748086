import type { ContentLevel } from './runtime.ts';

/** What the environment says, read once at `register()`: the `OTEL_*` variables and our own. */
export interface Environment {
  readonly disabled: boolean;
  readonly content: ContentLevel | undefined;
  readonly hashSalt: string | undefined;
  readonly tracesExporter: string | undefined;
  readonly logsExporter: string | undefined;
  readonly compression: string | undefined;
  readonly protocol: string | undefined;
  /** Set: the SDK's own resource detectors are wanted. */
  readonly detectors: string | undefined;
  readonly sampleRatio: number | undefined;
  readonly exportMode: 'batch' | 'immediate' | undefined;
  readonly resource: Readonly<Record<string, string>>;
  readonly number: (name: string) => number | undefined;
}

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  return {
    disabled: text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true',
    content: contentLevelOf(
      text('PLUMBLINE_CONTENT') ?? text('OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'),
    ),
    hashSalt: text('PLUMBLINE_HASH_SALT'),
    tracesExporter: text('OTEL_TRACES_EXPORTER'),
    logsExporter: text('OTEL_LOGS_EXPORTER'),
    compression: text('OTEL_EXPORTER_OTLP_COMPRESSION'),
    protocol: text('OTEL_EXPORTER_OTLP_PROTOCOL'),
    detectors: text('OTEL_NODE_RESOURCE_DETECTORS'),
    sampleRatio: ratioOf(text('PLUMBLINE_SAMPLE_RATIO')),
    exportMode: exportModeOf(text('PLUMBLINE_EXPORT_MODE'), text('AWS_LAMBDA_FUNCTION_NAME')),
    resource: {
      ...keyValues(text('OTEL_RESOURCE_ATTRIBUTES')),
      ...(text('OTEL_SERVICE_NAME') && { 'service.name': text('OTEL_SERVICE_NAME') ?? '' }),
    },
    number: (name) => {
      const value = Number(text(name));
      return Number.isFinite(value) && value > 0 ? value : undefined;
    },
  };
}

function ratioOf(value: string | undefined): number | undefined {
  const ratio = Number(value ?? Number.NaN);
  return ratio >= 0 && ratio <= 1 ? ratio : undefined;
}

/** A function that is frozen once it has answered cannot send later. */
function exportModeOf(value: string | undefined, lambda: string | undefined) {
  if (value === 'batch' || value === 'immediate') return value;
  return lambda === undefined ? undefined : 'immediate';
}

/** Our levels, and the values that OTel's variable has had over time. */
function contentLevelOf(value: string | undefined): ContentLevel | undefined {
  switch (value?.toLowerCase()) {
    case 'none':
    case 'metadata':
    case 'full':
      return value.toLowerCase() as ContentLevel;
    case 'true':
    case 'span_only':
    case 'span_and_event':
    case 'event_only':
      return 'full';
    case 'false':
    case 'no_content':
      return 'metadata';
    default:
      return undefined;
  }
}

/** `key1=value1,key2=value2` with percent-encoded values, as the specification has it. */
function keyValues(list: string | undefined): Record<string, string> {
  const values: Record<string, string> = {};
  for (const pair of list?.split(',') ?? []) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at).trim();
    if (at > 0 && key !== '') values[key] = decoded(pair.slice(at + 1).trim());
  }
  return values;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
