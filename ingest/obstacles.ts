/** The steps that can be held up by something outside. */
export type Step = 'insert' | 'derive' | 'quarantine' | 'writer';

/** What holds up which step right now. */
export interface Obstacles {
  /** Reported once for as long as it lasts. */
  set(step: Step, problem: string): void;
  clear(step: Step): void;
  /** For readiness; null when nothing is held up. */
  readonly first: string | null;
}

export function createObstacles(report: (problem: unknown) => void): Obstacles {
  const problems = new Map<Step, string>();
  return {
    set(step, problem) {
      if (problems.get(step) !== problem) report(problem);
      problems.set(step, problem);
    },
    clear(step) {
      problems.delete(step);
    },
    get first() {
      return problems.values().next().value ?? null;
    },
  };
}
