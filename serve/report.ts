/** Tells whoever runs the process of a problem, in one line of its error output. */
export function report(error: unknown): void {
  process.stderr.write(
    `${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}\n`,
  );
}
