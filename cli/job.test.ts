import { expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { exit } from './command.ts';
import { job } from './job.ts';

const run = async (...args: readonly string[]) => {
  let said = '';
  const write = (text: string) => {
    said += text;
  };
  const terminal = { config: () => readConfig({}), out: write, err: write };
  return { code: await job.run(args, terminal), said };
};

it('leaves to the usage what is none of its arguments', async () => {
  for (const args of [
    ['journal'],
    ['rebuild'],
    ['rebuild', '--from'],
    ['remap', '--to', 'now'],
    ['remap', '--from', 'now-1h', '--until', 'now'],
  ]) {
    expect(await run(...args), args.join(' ')).toEqual({ code: undefined, said: '' });
  }
});

it('asks nobody about a range that cannot be', async () => {
  expect(await run('rebuild', '--from', 'yesterday')).toEqual({
    code: exit.usage,
    said: '--from "yesterday" is neither a time with offset (2026-11-20T10:00:00Z) nor relative to now (now-7d)\n',
  });
  expect(await run('rebuild', '--from', 'now-1h', '--to', '2026-11-20')).toMatchObject({
    code: exit.usage,
    said: expect.stringMatching(/^--to "2026-11-20" is neither/),
  });
  expect(await run('remap', '--from', 'now', '--to', 'now-1h')).toEqual({
    code: exit.usage,
    said: '--from must be before --to\n',
  });
});
