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

it('serves the network with keys', () => {
  const config = readConfig({ PLUMBLINE_HOST: '0.0.0.0', PLUMBLINE_KEYS: 'keys.txt' });
  expect([config.host, config.keysFile]).toEqual(['0.0.0.0', 'keys.txt']);
});

it('takes a list of origins, and no path among them', () => {
  const origins = 'https://app.example.com, http://localhost:3000,https://*.example.org';
  expect(readConfig({ PLUMBLINE_CORS_ORIGINS: origins }).corsOrigins).toEqual(origins.split(/, ?/));
  expect(readConfig({}).corsOrigins).toEqual([]);
  const withPath = () => readConfig({ PLUMBLINE_CORS_ORIGINS: 'https://example.com/app' });
  expect(withPath).toThrow(/PLUMBLINE_CORS_ORIGINS=.*must be origins such as/);
});

it('treats an empty variable as not set', () => {
  expect(readConfig({ CLICKHOUSE_URL: '' }).clickhouseUrl).toBeUndefined();
});
