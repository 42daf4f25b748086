import { describe, expect, it } from 'vitest';
import { clickhouseTime, parseTime, rfc } from './time.ts';

const now = new Date('2026-11-20T12:00:00.500Z');
const iso = (text: string) => parseTime(text, now)?.toISOString() ?? null;

describe('parseTime', () => {
  it.each([
    ['now', '2026-11-20T12:00:00.500Z'],
    ['now-30s', '2026-11-20T11:59:30.500Z'],
    ['now-15m', '2026-11-20T11:45:00.500Z'],
    ['now-1h', '2026-11-20T11:00:00.500Z'],
    ['now-7d', '2026-11-13T12:00:00.500Z'],
    ['now-4w', '2026-10-23T12:00:00.500Z'],
    ['2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000Z'],
    ['2026-11-20T10:00:00.25+02:00', '2026-11-20T08:00:00.250Z'],
  ])('reads %s', (text, expected) => expect(iso(text)).toBe(expected));

  it.each([
    '',
    'now+1h',
    'now-1y',
    'yesterday',
    '2026-11-20',
    '2026-11-20T10:00:00',
    '1700000000',
    '2026-13-40T10:00:00Z',
  ])('refuses %j, which has no offset or no meaning', (text) => expect(iso(text)).toBeNull());
});

it('keeps nanoseconds of the store in RFC 3339', () => {
  expect(rfc('2026-11-20 10:00:00.123456789')).toBe('2026-11-20T10:00:00.123456789Z');
});

it('gives ClickHouse UTC text', () => {
  expect(clickhouseTime(now)).toBe('2026-11-20 12:00:00.500');
});
