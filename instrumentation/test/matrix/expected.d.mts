/** What is wrong with a shape that was run, in words. `before` is the same without the instrumentation. */
export function compared(before: unknown, after: unknown): string[];
