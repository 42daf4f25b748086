/** The id of a task that an item carries itself. */
export interface OwnTaskId {
  readonly id: string;
  /** `declared` by a person, `run` id of a framework, the `session` of an item without either, '' without an id. */
  readonly kind: 'declared' | 'run' | 'session' | '';
}

export const noTaskId: OwnTaskId = { id: '', kind: '' };

/** Longer text is no id; it stays an attribute. Cutting it could join two tasks. */
const maxIdLength = 512;

/** An id found on an item, in the mapping's order: declared sources before run ids. */
export interface TaskIdCandidate {
  readonly id: string;
  readonly declared: boolean;
}

/**
 * The task id of an item: its first declared id, else its first run id (BEHAVIOUR §1.2). Which attributes are which is
 * data; a conversation's id is never among them, because a session groups tasks: see {@link loneTaskId}.
 */
export function ownTaskId(candidates: readonly TaskIdCandidate[]): OwnTaskId {
  let run = noTaskId;
  for (const { id, declared } of candidates) {
    if (id === '' || id.length > maxIdLength) continue;
    if (declared) return { id, kind: 'declared' };
    if (run.kind === '') run = { id, kind: 'run' };
  }
  return run;
}

/**
 * The task of an item without a trace: its own, else its session, where that alone can hold the item (BEHAVIOUR §1.13).
 */
export function loneTaskId(own: OwnTaskId, traceId: string, sessionId: string): OwnTaskId {
  if (own.kind !== '' || traceId !== '' || sessionId === '') return own;
  return sessionId.length > maxIdLength ? own : { id: sessionId, kind: 'session' };
}

const traffics: ReadonlySet<string> = new Set(['live', 'shadow', 'eval', 'synthetic']);

/**
 * The traffic class of an item, empty when unset. A word that is none of the four is `unknown`: whoever writes one sets
 * the item apart from live traffic, so it is not counted there, and nobody can say what else it is.
 */
export function trafficOf(text: string): string {
  const traffic = text.trim().toLowerCase();
  return traffic === '' || traffics.has(traffic) ? traffic : 'unknown';
}
