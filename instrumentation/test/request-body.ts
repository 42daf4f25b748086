import { type RequestBody, requestBody } from '../src/wire/body.ts';

/** A request body of these fields. */
export function bodyOf(fields: object): RequestBody {
  const body = requestBody(JSON.stringify(fields));
  if (!body) throw new Error('not an object');
  return body;
}
