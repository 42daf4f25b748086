import { isFailure } from '../../decisions/edges.ts';
import type { Call } from '../../decisions/model.ts';
import { isScratchTool } from '../../decisions/tools.ts';
import { cut, errorText } from '../../decisions/wording.ts';
import type { Found, Rule } from '../rule.ts';
import { callsByScope, spansOfCalls } from '../rule.ts';

/**
 * One tool failed three times or more in a row. Another tool in between ends the row, thinking and calculating do not.
 * Calls that one decision made at once are one try.
 * Blind spot: failures of one cause that alternate between two tools.
 */
export const retryStorm: Rule = {
  id: 'retry_storm',
  version: 2,
  class: 'fact',
  severity: 'warn',
  level: 'M',
  parameters: { errors: 3 },
  find: (trajectory, parameters) =>
    callsByScope(trajectory).flatMap((calls) => storms(calls, parameters['errors'] ?? 3)),
};

/** Decisions that failed, and calls by code. */
function rounds(row: readonly Call[]): number {
  return new Set(row.map((call) => call.step ?? call)).size;
}

function storms(calls: readonly Call[], errors: number): Found[] {
  const found: Found[] = [];
  let row: Call[] = [];
  const close = () => {
    const last = row.at(-1);
    if (last !== undefined && rounds(row) >= errors) {
      const said =
        last.result.text === null ? '' : `, the last: ${cut(errorText(last.result.text), 120)}`;
      found.push({
        step: last.step,
        call: last,
        spans: spansOfCalls(row),
        covers: row.slice(errors - 1),
        text: `${last.tool} failed ${row.length} times in a row${said}`,
        detail: { errors: row.length },
      });
    }
    row = [];
  };
  for (const call of calls) {
    if (isScratchTool(call.tool)) continue;
    if (row[0]?.tool !== call.tool || !isFailure(call)) close();
    if (isFailure(call)) row.push(call);
  }
  close();
  return found;
}
