import { attempt, failed } from '../guard.ts';

/** What becomes of a response body while the application reads it. */
export interface BodyObserver {
  /** The application wants to read on. Must not throw. */
  asked(): void;
  chunk(bytes: Uint8Array): void;
  ended(): void;
  failed(error: unknown): void;
  /** The application stopped reading. */
  abandoned(): void;
}

type Source = ReadableStream<Uint8Array>;
type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Read = Awaited<ReturnType<Reader['read']>>;
/** Methods as they are looked up: by the application, and by `fetch` itself for `text()`, `json()` and `clone()`. */
type Method = (...values: never[]) => unknown;
type Methods = Readonly<Record<'read' | 'releaseLock' | 'next' | 'return' | Name, Method>>;
type Name = 'getReader' | 'values' | 'tee' | 'pipeTo' | 'pipeThrough' | 'cancel';

/**
 * Sees what is read of a body, each chunk before the application does. The response and its body stay those that `fetch`
 * gave: the methods of this one stream that hand out readers are shadowed. There is no second stream and no read-ahead, and
 * backpressure, cancellation and errors are those of the stream itself. `false` when the stream cannot be watched.
 */
export function observeBody(response: Response, observer: BodyObserver): boolean {
  const body = response.body as Source | null;
  if (!body) return false;
  try {
    for (const [name, method] of shadows(body, observer)) shadow(body, name, method);
  } catch {
    return false;
  }
  return true;
}

function shadows(body: Source, observer: BodyObserver): (readonly [PropertyKey, unknown])[] {
  const { getReader, values, tee, pipeTo, pipeThrough, cancel } = body as unknown as Methods;
  const call = <T>(method: Method, values: unknown[], on: Source = body): T =>
    Reflect.apply(method as () => T, on, values);
  const iterate = (...options: { preventCancel?: boolean }[]) =>
    watchIterator(call(values, options), observer, options[0]?.preventCancel === true);
  /** What reads the stream from within reads a copy of it instead. */
  const copy = (lasting: boolean): Source => {
    const bytes = isByteStream(body, getReader);
    return passed(call<Reader>(getReader, []), bytes, lasting, observer);
  };
  return [
    ['getReader', (...options: unknown[]) => watchReader(call(getReader, options), observer)],
    ['values', iterate],
    [Symbol.asyncIterator, iterate],
    ['tee', () => (body.locked ? call(tee, []) : call(tee, [], copy(true)))],
    ['pipeTo', pipes(pipeTo)],
    ['pipeThrough', pipes(pipeThrough)],
    [
      'cancel',
      (...reason: unknown[]) => {
        if (!body.locked) attempt('call.body', () => observer.abandoned());
        return call(cancel, reason);
      },
    ],
  ];
  function pipes(method: Method) {
    return (...options: unknown[]) => call(method, options, body.locked ? body : copy(false));
  }
}

function shadow(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

function watchReader(reader: Reader, observer: BodyObserver): Reader {
  const { read, cancel, releaseLock } = reader as unknown as Methods;
  let released = false;
  const { seen, broke } = steps(observer);
  const failing = (error: unknown): never => {
    if (released) throw error;
    return broke(error);
  };
  shadow(reader, 'read', (...values: unknown[]) => {
    observer.asked();
    return (Reflect.apply(read as () => unknown, reader, values) as Promise<Read>).then(
      seen,
      failing,
    );
  });
  shadow(reader, 'cancel', (...reason: unknown[]) => {
    if (!released) attempt('call.body', () => observer.abandoned());
    return Reflect.apply(cancel as () => unknown, reader, reason);
  });
  shadow(reader, 'releaseLock', () => {
    released = true;
    return Reflect.apply(releaseLock as () => unknown, reader, []);
  });
  return reader;
}

function watchIterator(
  iterator: AsyncIterator<Uint8Array>,
  observer: BodyObserver,
  preventCancel: boolean,
): AsyncIterator<Uint8Array> {
  const { next, return: leave } = iterator as unknown as Methods;
  const { seen, broke } = steps(observer);
  shadow(iterator, 'next', () => {
    observer.asked();
    return (Reflect.apply(next as () => unknown, iterator, []) as Promise<Read>).then(seen, broke);
  });
  shadow(iterator, 'return', (...value: unknown[]) => {
    if (!preventCancel) attempt('call.body', () => observer.abandoned());
    return Reflect.apply(leave as () => unknown, iterator, value);
  });
  return iterator;
}

/** What a step of reading tells the observer; it is passed on as it is. */
function steps(observer: BodyObserver) {
  return {
    seen: (step: Read): Read => {
      try {
        if (step.done) observer.ended();
        else observer.chunk(step.value);
      } catch (error) {
        failed('call.body', error);
      }
      return step;
    },
    broke: (error: unknown): never => {
      attempt('call.body', () => observer.failed(error));
      throw error;
    },
  };
}

/** Bodies of `fetch` are byte streams and own their chunks; those of mocks may share a buffer and must not be detached. */
function isByteStream(source: Source, getReader: Method): boolean {
  try {
    const mode = [{ mode: 'byob' }];
    Reflect.apply(getReader as () => Reader, source, mode).releaseLock();
    return true;
  } catch {
    return false;
  }
}

type Controller = Pick<ReadableByteStreamController, 'enqueue' | 'close' | 'error'> & {
  readonly byobRequest?: { respond: (bytes: number) => void } | null;
};

/** The same stream once more, read only when it is read. `lasting` keeps the original locked after its end, as `tee` does. */
function passed(native: Reader, bytes: boolean, lasting: boolean, observer: BodyObserver): Source {
  const reader = watchReader(native, observer);
  const over = (): void => {
    if (!lasting) reader.releaseLock();
  };
  const source = {
    async pull(controller: Controller): Promise<void> {
      try {
        const step = await reader.read();
        if (!step.done) {
          controller.enqueue(step.value);
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
      } catch (error) {
        controller.error(error);
      }
      over();
    },
    cancel: (reason: unknown): Promise<void> => reader.cancel(reason).finally(over),
  };
  return (
    bytes
      ? new ReadableStream({ type: 'bytes', ...source })
      : new ReadableStream(source, { highWaterMark: 0 })
  ) as Source;
}

/** Whether the body can be observed at all: a foreign response or body object is left alone. */
export function isObservable(response: Response): boolean {
  const { status, body } = response;
  return (
    Object.prototype.toString.call(response) === '[object Response]' &&
    body instanceof ReadableStream &&
    !body.locked &&
    !response.bodyUsed &&
    status >= 200
  );
}
