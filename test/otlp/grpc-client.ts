import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

/** What a unary call came to. */
export interface Answer {
  /** 0 is OK. */
  readonly code: number;
  readonly message: string;
  readonly body: Buffer;
  /** google.rpc.Status of the trailers, if there was one. */
  readonly details: Buffer | undefined;
}

const services = {
  traces: 'trace.v1.TraceService',
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
} as const;

/** Raw Export calls by gRPC's own client library, bytes in and out. */
export function grpcClient(target: string, compression: 'none' | 'gzip' = 'none') {
  const client = new Client(target, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
    // grpc_compression_algorithm: 0 is none, 2 gzip.
    'grpc.default_compression_algorithm': compression === 'gzip' ? 2 : 0,
  });
  const call = (
    path: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        Buffer.from(body),
        metadata,
        { deadline: Date.now() + 20_000 },
        (error: ServiceError | null, answer?: Buffer) => {
          const details = error?.metadata?.get('grpc-status-details-bin')[0];
          resolve({
            code: error?.code ?? 0,
            message: error?.details ?? '',
            body: answer ?? Buffer.alloc(0),
            details: Buffer.isBuffer(details) ? details : undefined,
          });
        },
      );
    });
  return {
    call,
    export: (
      signal: keyof typeof services,
      body: Uint8Array,
      headers?: Readonly<Record<string, string>>,
    ) => call(`/opentelemetry.proto.collector.${services[signal]}/Export`, body, headers),
    close: () => client.close(),
  };
}
