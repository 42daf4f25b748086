/** The parts of the API's answers that these tests read. */
export interface Task {
  readonly task_id: string;
  readonly workflow: string;
  readonly state: string;
  readonly outcome: string;
  readonly outcome_source: string | null;
  readonly llm_calls: number;
  readonly tool_calls: number;
  readonly tool_errors: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cost_usd: number | null;
  readonly trace_ids: readonly string[];
}

export interface Costs {
  readonly groups: readonly {
    readonly tasks: number;
    readonly successes: number;
    readonly cost_usd: number | null;
    readonly cost_per_success_usd: number | null;
    readonly unpriced_models: readonly string[];
  }[];
}

export interface Decisions {
  readonly decisions: readonly {
    readonly kind: string;
    readonly agent: string | null;
    readonly chosen: readonly {
      readonly type: string;
      readonly id?: string;
      readonly tool?: string | null;
      readonly call_id?: string | null;
      readonly arguments?: unknown;
    }[];
    readonly results: readonly {
      readonly call: string;
      readonly span_id: string | null;
      readonly status: string;
      readonly detected_by: string | null;
      readonly preview: string | null;
    }[];
  }[];
  readonly next_cursor: string | null;
}

/** GETs a path of the API; anything but 200 throws with the answer. */
export async function ask<T>(api: string, path: string): Promise<T> {
  const response = await fetch(api + path);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

/** All tasks of the last day by id, following the cursor. */
export async function allTasks(api: string): Promise<Map<string, Task>> {
  const tasks = new Map<string, Task>();
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: { tasks: Task[]; next_cursor: string | null } = await ask(
      api,
      `/api/v1/tasks?from=now-1d&limit=40${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const task of page.tasks) tasks.set(task.task_id, task);
    cursor = page.next_cursor;
  }
  return tasks;
}

/** The decisions of a task with their whole content, in order. */
export async function allDecisions(api: string, id: string): Promise<Decisions['decisions']> {
  const decisions: Decisions['decisions'][number][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Decisions = await ask(
      api,
      `/api/v1/tasks/${id}/decisions?content=full${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    decisions.push(...page.decisions);
    cursor = page.next_cursor;
  }
  return decisions;
}

/** Everything the API says about the replayed tasks that does not depend on the clock. */
export interface Numbers {
  readonly tasks: Readonly<Record<string, Task>>;
  readonly costs: readonly Costs[];
}

/**
 * Findings are left out: a pass of its own judges each task some time after it has ended, so they come later than the numbers.
 * Sums of floats differ in their last bits with the order in which the engine adds: money is kept to 1e-9 USD.
 */
export async function numbers(api: string): Promise<Numbers> {
  const groups = ['', 'workflow', 'model', 'tool', 'agent', 'user'];
  const answers = {
    tasks: Object.fromEntries([...(await allTasks(api))].sort()),
    costs: await Promise.all(groups.map((by) => ask<Costs>(api, `/api/v1/costs?group_by=${by}`))),
  };
  return JSON.parse(JSON.stringify(answers), (key, value: unknown) => {
    if (key === 'findings') return undefined;
    return typeof value === 'number' && key.includes('_usd') ? Number(value.toFixed(9)) : value;
  }) as Numbers;
}
