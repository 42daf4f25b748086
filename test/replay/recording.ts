import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChatMessage } from '../../demo/llm.ts';

/** A message of a recorded run, as the OpenAI API carried it; `name` is the tool of a tool result. */
export interface RecordedMessage extends ChatMessage {
  readonly name?: string;
}

/** One recorded run of tau-bench: the conversation and whether it reached the expected database state. */
export interface RecordedRun {
  readonly task_id: number;
  readonly trial: number;
  readonly reward: number;
  readonly traj: readonly RecordedMessage[];
}

/** A tool as it was offered to the model. */
export interface RecordedTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

export interface Recording {
  readonly runs: readonly RecordedRun[];
  readonly tools: readonly RecordedTool[];
  /** `full`: the 100 runs of the shared data; `sample`: the three in `test/fixtures`. */
  readonly extent: 'full' | 'sample';
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The recorded runs: all of them from the test data if they are there, else the committed sample. */
export function loadRecording(): Recording {
  const data = process.env['PLUMBLINE_TEST_DATA'] ?? join(root, '..', 'shared', 'data');
  const folder = join(data, 'tau-bench');
  if (existsSync(join(folder, 'gpt-4o-airline.json'))) {
    return {
      runs: read<RecordedRun[]>(join(folder, 'gpt-4o-airline.json')),
      tools: read<RecordedTool[]>(join(folder, 'tools.json')),
      extent: 'full',
    };
  }
  const sample = read<Omit<Recording, 'extent'>>(
    join(root, 'test', 'fixtures', 'tau-bench-sample.json'),
  );
  return { runs: sample.runs, tools: sample.tools, extent: 'sample' };
}

/** The task id under which a run is replayed. */
export function taskIdOf(run: RecordedRun): string {
  return `tau-airline-${run.task_id}-${run.trial}`;
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
