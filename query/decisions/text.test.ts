import { describe, expect, it } from 'vitest';
import { committedRuns, evidenceOf, recordedRuns } from '../../test/decisions/recorded-run.ts';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { findDefects } from '../findings/find.ts';
import { rankSuspects } from '../suspects/rank.ts';
import { deriveTrajectory } from './derive.ts';
import type { TaskEvidence } from './evidence.ts';
import { renderTask } from './text.ts';

function render(evidence: TaskEvidence): string {
  const trajectory = deriveTrajectory(evidence);
  const findings = findDefects(trajectory);
  return renderTask(trajectory, findings, rankSuspects(trajectory, findings));
}

describe('a task in a terminal', () => {
  it('explains run 0', () => {
    const [run] = committedRuns();
    if (run === undefined) throw new Error('no run');
    const evidence = evidenceOf(run);
    const times = {
      cost_usd: 0.2356,
      duration_ms: 14_200,
      model_ms: 9100,
      tool_ms: 1300,
      human_wait_ms: 0,
    };
    expect(render({ ...evidence, task: { ...evidence.task, ...times } })).toMatchInlineSnapshot(`
      "task tau-airline-0-0   airline-support   FAILED   15 decisions   $0.24   14.2 s (model 9.1, tools 1.3)
        outcome failure (evaluation, score 0)
        suspect 1  #10  book_reservation changes state; payment_methods[1].amount = 5, total_baggages = 3 and nonfree_baggages = 1 occur in no
                        message or result before this call; it is the first attempt to change state
        suspect 2  #14  book_reservation is the first state-changing call that succeeded; the retry changed only payment_methods[1].amount 5 → 55
                        and kept the unsourced arguments
        #3   get_user_details            ok              user_id "mia_li_3668" ← user, #2
        #4   search_direct_flight        ok
        #6   search_onestop_flight       ok              origin "JFK" ← #4 search_direct_flight
        #9   answered                                    "The total cost for the selected flights in economy class is $255. Here's the paymen…"
        #10  book_reservation            ERROR in a 200  payment amount does not add up, total price is 305, but paid 255
              payment_methods[1].amount = 5         no source in any message or result   ◄ suspect 1
              total_baggages = 3                    no source in any message or result   ◄ suspect 1
              nonfree_baggages = 1                  no source in any message or result   ◄ suspect 1
              user_id = "mia_li_3668"               ← user, #2
              origin = "JFK", destination = "SEA"   ← #4 search_direct_flight
              flights[0].flight_number = "HAT136", flights[0].date = "2024-05-20" and 2 more  ← #6 search_onestop_flight
              why: (none stated)    offered: 14 tools
        #14  book_reservation            ok              retried #10, changed payment_methods[1].amount 5 → 55, kept the unsourced arguments
        #15  answered                                    "Your flight from New York (JFK) to Seattle (SEA) has been successfully booked. Here…"
        findings: silent_tool_failure (#10)
      "
    `);
  });

  it('takes at most 30 lines of 140 characters, whatever the task', () => {
    for (const run of recordedRuns().runs) {
      const lines = render(evidenceOf(run)).trimEnd().split('\n');
      expect(lines.length).toBeLessThanOrEqual(30);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(140);
    }
  });

  it('lets no text from telemetry control the terminal', () => {
    const s = scenario({ task_id: 'x\u001b[2J', workflow: 'w\r\nforged line' });
    s.model({ input: [user('go')], output: says('\u001b]0;title\u0007\u202ereversed\nnext') });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(render(s.evidence())).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    // Task, outcome, suspect, decision, why, findings: no line more.
    expect(render(s.evidence()).trimEnd().split('\n')).toHaveLength(6);
  });

  it('lets no name of a tool or an argument control it either', () => {
    const evil = '\u001b[31mx\u200b\u2028y\u{e0041}';
    const s = scenario();
    const found = { [`id${evil}`]: 'A1B2C3' };
    const look = calls(call('a', `look${evil}`, {}));
    s.model({ input: [user('go')], output: look });
    s.tool({ tool_name: `look${evil}`, tool_call_id: 'a', result: JSON.stringify(found) });
    const seen = [user('go'), look, result('a', found)];
    for (const id of ['b', 'c']) {
      const book = calls(call(id, `book${evil}`, found));
      s.model({ input: [...seen], output: book });
      s.tool({ tool_name: `book${evil}`, tool_call_id: id, result: `ok${evil}` });
      seen.push(book, result(id, `ok${evil}`));
    }
    s.model({ input: seen, output: says(evil) });
    const text = render(s.evidence());
    expect(text).toContain('← #1 look');
    expect(text).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u);
  });
});
