import { describe, expect, it } from 'vitest';
import { rules } from '../../query/findings/rules.ts';
import { type RecordedRun, recordedRuns } from '../decisions/recorded-run.ts';
import { learnFrom } from './findings/clean-run.ts';
import { contentMutations } from './findings/content.ts';
import { tally } from './findings/harness.ts';
import { metadataMutations } from './findings/metadata.ts';
import { mayFind } from './findings/oracle.ts';

const mutations = [...contentMutations, ...metadataMutations];
const { runs } = recordedRuns();

describe('the mutation harness', () => {
  it('has a defect for every rule', () => {
    const covered = new Set(mutations.map(({ rule }) => rule));
    expect(rules.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
  });

  it('puts defects into a clean run that its rules find', () => {
    const clean = runs.filter(({ reward }) => reward === 1).slice(0, 1);
    const known = learnFrom(runs);
    const missed = mutations.flatMap((mutation) => {
      // The floors of learnt shapes are met by the whole recording only.
      if (mutation.defect.includes('floor')) return [];
      return tally(mutation, clean, known).missed.map((at) => `${mutation.defect}: ${at}`);
    });
    expect(missed).toEqual([]);
  });
});

describe('the oracle of facts', () => {
  it('sees a call that repeats, and a third one that makes a loop', () => {
    const made = { id: 'c', function: { name: 'get_user_details', arguments: '{"user_id":"u"}' } };
    const twice = [
      { role: 'assistant', content: null, tool_calls: [made] },
      { role: 'tool', content: 'same', tool_call_id: 'c', name: 'get_user_details' },
    ];
    const run: RecordedRun = {
      task_id: 0,
      trial: 0,
      reward: 1,
      traj: [...twice, ...twice, ...twice],
    };
    expect([...mayFind('repeated_call', run)]).toEqual([1, 2]);
    expect([...mayFind('loop', run)]).toEqual([2]);
    expect([...mayFind('limit_exceeded', run)]).toEqual([2]);
    expect([...mayFind('hallucinated_tool', run)]).toEqual([]);
  });
});
