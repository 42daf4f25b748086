import type { Config } from '../config.ts';

/** What a command may use of the process that it runs in. */
export interface Terminal {
  /** The settings, read when a command first needs them. */
  readonly config: () => Config;
  /** Writes to standard output; whole lines. */
  readonly out: (text: string) => void;
  /** Writes to standard error. */
  readonly err: (text: string) => void;
}

/** A word after `plumbline` and what it does. */
export interface Command {
  /** Its lines in `plumbline help`. */
  readonly usage: string;
  /** The exit code; undefined when the arguments are none of this command's. */
  readonly run: (
    args: readonly string[],
    terminal: Terminal,
  ) => Promise<number | undefined> | number | undefined;
}

/** Where a running Plumbline answers, and the key that it asks for. */
export interface Api {
  readonly url: string;
  readonly key: string | undefined;
}

/** Of the Plumbline that runs with these settings. */
export function apiOf({ host, port, apiKey }: Config): Api {
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, key: apiKey };
}

/** Exit codes of sysexits.h. */
export const exit = { usage: 64, data: 65, config: 78 } as const;

/** Puts what a command does into the second column of `plumbline help`. */
export function usage(call: string, does: string): string {
  return call.length < 24 ? `${call.padEnd(24)}${does}` : `${call}\n${' '.repeat(24)}${does}`;
}
