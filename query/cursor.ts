import type { z } from 'zod';
import { problem } from './problem.ts';

/** An opaque text that holds a place in a list. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place in `text`, or a 400 that says the cursor is not one of ours. */
export function decodeCursor<Schema extends z.ZodType>(
  text: string | undefined,
  schema: Schema,
): z.output<Schema> | undefined {
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(json(text));
  if (parsed.success) return parsed.data;
  throw problem(
    400,
    'A parameter is not valid.',
    'cursor: use next_cursor of the previous page as it is',
    'cursor',
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
