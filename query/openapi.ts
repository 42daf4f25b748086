import type { Hono } from 'hono';
import { z } from 'zod';
import { docOf, type RouteDoc } from './valid.ts';

interface Operation {
  readonly summary?: string;
  readonly parameters: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

const problemResponse = {
  description: 'RFC 9457 problem details',
  content: { 'application/problem+json': {} },
};

/** OpenAPI 3.1 of every documented route of `app`, from the zod schemas that check its requests. */
export function openapi(app: Hono, version: string): object {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const [key, doc] of documented(app)) {
    const [method, path] = key.split(' ') as [string, string];
    const template = path.replace(/:(\w+)/g, '{$1}');
    paths[template] ??= {};
    paths[template][method.toLowerCase()] = operation(path, doc);
  }
  return { openapi: '3.1.0', info: { title: 'Plumbline', version }, paths };
}

/** A route's handlers are listed one by one by Hono; what each says is merged under `METHOD path`. */
function documented(app: Hono): Map<string, RouteDoc> {
  const routes = new Map<string, RouteDoc>();
  for (const { method, path, handler } of app.routes) {
    const doc = docOf(handler);
    if (doc === undefined) continue;
    const key = `${method} ${path}`;
    routes.set(key, { ...routes.get(key), ...doc });
  }
  return routes;
}

function operation(path: string, doc: RouteDoc): Operation {
  const ok = doc.response === undefined ? {} : { content: json(doc.response, 'output') };
  return {
    ...(doc.summary === undefined ? {} : { summary: doc.summary }),
    parameters: [...inPath(path), ...inQuery(doc.query)],
    ...(doc.json === undefined
      ? {}
      : { requestBody: { required: true, content: json(doc.json, 'input') } }),
    responses: {
      [String(doc.status ?? 200)]: { description: 'The answer', ...ok },
      '400': problemResponse,
    },
  };
}

function inPath(path: string): object[] {
  return Array.from(path.matchAll(/:(\w+)/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function inQuery(schema: z.ZodType | undefined): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input');
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function json(schema: z.ZodType, io: 'input' | 'output'): object {
  return { 'application/json': { schema: jsonSchema(schema, io) } };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
