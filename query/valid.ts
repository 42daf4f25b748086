import type { MiddlewareHandler } from 'hono';
import { validator } from 'hono/validator';
import { z } from 'zod';
import { problem } from './problem.ts';

/** What a route says of itself, read by `openapi.ts`. */
export interface RouteDoc {
  readonly summary?: string;
  readonly query?: z.ZodType;
  readonly json?: z.ZodType;
  readonly response?: z.ZodType;
  readonly status?: number;
}

const docs = new WeakMap<object, RouteDoc>();

/** The part of a route's documentation that this middleware carries. */
export function docOf(handler: object): RouteDoc | undefined {
  return docs.get(handler);
}

/** Documents a route: a one-line summary and the shape of its answer. */
export function returns(summary: string, response: z.ZodType, status = 200): MiddlewareHandler {
  const handler: MiddlewareHandler = async (_c, next) => next();
  docs.set(handler, { summary, response, status });
  return handler;
}

/** Parses one part of the request; a bad one answers 400 naming the parameter, what was wrong and what is accepted. */
export function valid<Target extends 'query' | 'json', Schema extends z.ZodType>(
  target: Target,
  schema: Schema,
) {
  const handler = validator(target, (value: unknown): z.output<Schema> => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const name = String(issue?.path[0] ?? unknown ?? target);
    throw problem(
      400,
      'A parameter is not valid.',
      `${name}: ${issue?.message ?? 'not valid'}`,
      name,
    );
  });
  docs.set(handler, { [target]: schema });
  return handler;
}

/** `limit`: 1 to `max`, given as text. */
export function limit(initial: number, max: number) {
  return z.coerce
    .number({ error: `a whole number from 1 to ${max}` })
    .int()
    .min(1)
    .max(max)
    .default(initial);
}

/** Lists default to real traffic; `all` asks for every kind. */
export const traffic = z
  .enum(['live', 'shadow', 'eval', 'synthetic', 'unknown', 'all'])
  .default('live');
