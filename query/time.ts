import { z } from 'zod';

const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const relative = /^now(?:-(\d{1,6})([smhdw]))?$/;
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** The time that `text` names, or null: RFC 3339 with an offset, or `now`, `now-15m`, `now-7d` (s m h d w). */
export function parseTime(text: string, now: Date): Date | null {
  const match = relative.exec(text);
  if (match) return new Date(now.getTime() - Number(match[1] ?? 0) * (units[match[2] ?? 's'] ?? 0));
  if (!rfc3339.test(text)) return null;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}

/** A time in a query string, checked here and resolved against the request's clock by {@link parseTime}. */
export const time = z.string().refine((text) => parseTime(text, new Date(0)) !== null, {
  error: 'a time with offset (2026-11-20T10:00:00Z) or relative to now (now-7d)',
});

/** RFC 3339 text of a ClickHouse UTC time such as `2026-11-20 10:00:00.123456789`; sub-milliseconds are kept. */
export function rfc(text: string): string {
  return `${text.replace(' ', 'T')}Z`;
}

/** Text that ClickHouse reads as DateTime64(3, 'UTC'). */
export function clickhouseTime(date: Date): string {
  return date.toISOString().replace('T', ' ').replace('Z', '');
}
