import { guard } from './guard.ts';

/** Any schema that can check a value at once: zod 3 and 4, valibot, arktype and others, none of them imported. */
export type Schema<Output> = SafeParser<Output> | StandardSchema<Output>;

/** `safeParse` as zod has it. */
export interface SafeParser<Output> {
  safeParse(
    value: unknown,
  ): { success: true; data: Output } | { success: false; error: unknown; data?: undefined };
}

/** Standard Schema, version 1 (standardschema.dev). */
export interface StandardSchema<Output> {
  readonly '~standard': {
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

export type Checked<Output> =
  | { readonly valid: true; readonly value: Output }
  | { readonly valid: false; readonly error: unknown }
  /** The schema answers later or cannot be asked: unknown, which is neither. */
  | { readonly valid: undefined };

/** Thrown for an input that its schema refuses, where the schema brings no error of its own. */
export class ToolInputError extends Error {
  override readonly name = 'ToolInputError';
  readonly issues: readonly { readonly message: string }[];

  constructor(issues: readonly { readonly message: string }[]) {
    super(issues.map(({ message }) => message).join('; ') || 'invalid input');
    this.issues = issues;
  }
}

/** Checks a value; schemas that work asynchronously are not waited for. */
export function check<Output>(schema: Schema<Output>, value: unknown): Checked<Output> {
  return guard('schema', () => checked(schema, value), { valid: undefined });
}

function checked<Output>(schema: Schema<Output>, value: unknown): Checked<Output> {
  if ('safeParse' in schema) {
    const result = schema.safeParse(value);
    return result.success
      ? { valid: true, value: result.data }
      : { valid: false, error: result.error };
  }
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    return { valid: undefined };
  }
  return result.issues
    ? { valid: false, error: new ToolInputError(result.issues) }
    : { valid: true, value: result.value };
}
