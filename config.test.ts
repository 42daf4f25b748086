import { expect, it } from 'vitest';
import { BadSetting, readConfig } from './config.ts';

it('has a default for everything', () => {
  expect(readConfig({})).toMatchObject({
    data: './.plumbline',
    host: '127.0.0.1',
    port: 4320,
    otlpPort: 4318,
  });
});

it('names every bad setting, its value and what is accepted, in one block', () => {
  const read = () => readConfig({ PLUMBLINE_PORT: '99999', PLUMBLINE_PROJECT: 'No Such' });
  expect(read).toThrow(BadSetting);
  expect(read).toThrow(
    /PLUMBLINE_PORT="99999": must be [\s\S]*PLUMBLINE_PROJECT="No Such": must be lower-case/,
  );
});

it('refuses to serve the network without keys', () => {
  expect(() => readConfig({ PLUMBLINE_HOST: '0.0.0.0' })).toThrow(/loopback/);
});

it('treats an empty variable as not set', () => {
  expect(readConfig({ CLICKHOUSE_URL: '' }).clickhouseUrl).toBeUndefined();
});
