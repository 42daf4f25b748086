import { ClickHouseError } from '@clickhouse/client';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** RFC 9457 problem details. `parameter` names the part of the request that was wrong. */
export interface Problem {
  readonly title: string;
  readonly status: ContentfulStatusCode;
  readonly detail?: string;
  readonly parameter?: string;
}

export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
    this.problem = problem;
  }
}

/** An error for the client, thrown and mapped once by {@link onError}. */
export function problem(
  status: ContentfulStatusCode,
  title: string,
  detail?: string,
  parameter?: string,
): ProblemError {
  return new ProblemError({
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(parameter === undefined ? {} : { parameter }),
  });
}

export function respond(c: Context, problem: Problem): Response {
  return c.body(JSON.stringify(problem), problem.status, {
    'content-type': 'application/problem+json',
  });
}

// Codes of ClickHouse: 159 TIMEOUT_EXCEEDED, 241 MEMORY_LIMIT_EXCEEDED, 210 NETWORK_ERROR, 202 TOO_MANY_SIMULTANEOUS_QUERIES.
const overload: Readonly<Record<string, string>> = {
  '159': 'The question took too long. Ask for a shorter time range.',
  '241': 'The question needs too much memory. Ask for a shorter time range.',
  '202': 'Too many questions at once. Try again.',
  '210': 'The store cannot be reached. Try again.',
};

/** Hono's `onError`: the only place where an error becomes a response. Nothing internal reaches the client. */
export function onError(report: (error: unknown) => void) {
  return (error: Error, c: Context): Response => {
    if (error instanceof ProblemError) return respond(c, error.problem);
    if (error instanceof HTTPException) {
      return respond(c, {
        title: error.message || 'The request was refused.',
        status: error.status as ContentfulStatusCode,
      });
    }
    const known = error instanceof ClickHouseError ? overload[error.code] : undefined;
    if (known !== undefined)
      return respond(c, { title: 'The store is busy.', status: 503, detail: known });
    report(error);
    return respond(c, { title: 'Something went wrong on our side.', status: 500 });
  };
}
