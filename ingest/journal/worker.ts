import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type LogFile, openLogFile, type Sealable } from './log-file.ts';
import type { Order, Report, WorkerOptions } from './messages.ts';

// The journal's own thread, with synchronous calls: on libuv's pool an fsync queues behind the engine's queries, and
// acks took 18 s in the median under six heavy ones; here 1 to 3 ms.

/** Bytes and records of one group commit: whatever is waiting, up to this. */
const maxGroupBytes = 32 * 1024 * 1024;
const maxGroupRecords = 1024;

interface Group {
  readonly ids: number[];
  readonly records: Sealable[];
  bytes: number;
}

function run(port: NonNullable<typeof parentPort>, options: WorkerOptions): void {
  const tell = (report: Report) => port.postMessage(report);
  const file = openLogFile(options);
  tell({ kind: 'opened', ...file.opened, bases: file.bases() });

  port.on('message', (first: Order) => {
    let order: Order | undefined = first;
    while (order !== undefined) {
      const group: Group = { ids: [], records: [], bytes: 0 };
      while (order?.kind === 'append' && hasRoom(group)) {
        group.ids.push(order.id);
        group.records.push(order);
        group.bytes += order.header.length + order.body.length;
        order = nextOrder(port);
      }
      if (group.ids.length > 0) tell(commit(file, group));
      if (order === undefined || order.kind === 'append') continue;
      if (order.kind === 'close') {
        file.close();
        tell({ kind: 'closed' });
        port.close();
        return;
      }
      moveCheckpoint(file, order.position);
      tell({ kind: 'segments', bases: file.bases() });
      order = nextOrder(port);
    }
  });
}

function hasRoom(group: Group): boolean {
  return group.bytes < maxGroupBytes && group.ids.length < maxGroupRecords;
}

function nextOrder(port: NonNullable<typeof parentPort>): Order | undefined {
  return receiveMessageOnPort(port)?.message;
}

function commit(file: LogFile, { ids, records }: Group): Report {
  try {
    const end = file.append(records);
    return { kind: 'stored', ids, end, bases: file.bases() };
  } catch (error) {
    return { kind: 'failed', ids, code: codeOf(error) };
  }
}

function moveCheckpoint(file: LogFile, position: number): void {
  try {
    file.checkpoint(position);
  } catch {
    // A full disk: the old checkpoint stands and the next one tries again. It only means more replay.
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

if (parentPort !== null) run(parentPort, workerData);
