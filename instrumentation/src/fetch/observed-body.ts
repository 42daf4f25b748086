/** What becomes of a response body while the application reads it. Exactly one of the last three is called. */
export interface BodyObserver {
  /** The application wants to read on. */
  readonly asked?: () => void;
  readonly chunk: (bytes: Uint8Array) => void;
  readonly ended: () => void;
  readonly failed: (error: unknown) => void;
  /** The application stopped reading, or dropped the body. */
  readonly abandoned: () => void;
}

type Source = ReadableStream<Uint8Array>;
type Reader = ReadableStreamDefaultReader<Uint8Array>;

const dropped = new FinalizationRegistry<{ reader: Reader; observer: BodyObserver }>(
  ({ reader, observer }) => {
    observer.abandoned();
    reader.cancel().catch(() => undefined);
  },
);

/**
 * The same response, its body seen on the way. The body is read only when the application reads it (no read-ahead, its
 * backpressure stays) and by nobody else; `observer` sees each chunk before the application does.
 */
export function observeBody(response: Response, observer: BodyObserver): Response {
  const source = response.body;
  if (!source) return response;
  const bytes = isByteStream(source);
  const reader = source.getReader() as Reader;
  try {
    const body = bytes
      ? new ReadableStream({ type: 'bytes', ...pump(reader, observer) })
      : new ReadableStream(pump(reader, observer), { highWaterMark: 0 });
    dropped.register(body, { reader, observer });
    return rebuilt(response, body as Source);
  } catch (error) {
    reader.releaseLock();
    throw error;
  }
}

function rebuilt(response: Response, body: Source): Response {
  const { status, statusText, headers } = response;
  // The class that fetch used: servers such as @hono/node-server put another one into the global.
  const Native = response.constructor as typeof Response;
  const observed = new Native(body, { status, statusText, headers });
  for (const key of ['url', 'redirected', 'type'] as const) {
    Object.defineProperty(observed, key, { value: response[key], configurable: true });
  }
  return observed;
}

/** Whether the body can be observed at all: a null-body status or a foreign body object cannot be rebuilt. */
export function isObservable(response: Response): boolean {
  const { status, body } = response;
  return (
    Object.prototype.toString.call(response) === '[object Response]' &&
    body instanceof ReadableStream &&
    !body.locked &&
    !response.bodyUsed &&
    status >= 200 &&
    status <= 599 &&
    ![204, 205, 304].includes(status)
  );
}

/** Bodies of `fetch` are byte streams and own their chunks; those of mocks may share a buffer and must not be detached. */
function isByteStream(source: Source): boolean {
  try {
    source.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}

type Controller = Pick<ReadableByteStreamController, 'enqueue' | 'close' | 'error'> & {
  readonly byobRequest?: { respond: (bytes: number) => void } | null;
};

function pump(reader: Reader, observer: BodyObserver) {
  return {
    async pull(controller: Controller): Promise<void> {
      let step: Awaited<ReturnType<Reader['read']>>;
      observer.asked?.();
      try {
        step = await reader.read();
      } catch (error) {
        observer.failed(error);
        controller.error(error);
        return;
      }
      if (step.done) {
        observer.ended();
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      observer.chunk(step.value);
      controller.enqueue(step.value);
    },
    cancel(reason: unknown): Promise<void> {
      observer.abandoned();
      return reader.cancel(reason);
    },
  };
}
