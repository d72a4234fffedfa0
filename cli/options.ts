import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';

/** The options that every command has. */
export type GlobalOptions = { readonly data: string; readonly as: string; readonly json: boolean };

export const DEFAULT_DATA = './.factory';

/** The definitions that come with the program. */
export const DEFAULT_DEFINITIONS = fileURLToPath(new URL('../definitions/', import.meta.url));

export function globalOptions(command: Command): GlobalOptions {
  const all = command.optsWithGlobals();
  return { data: String(all['data']), as: String(all['as']), json: all['json'] === true };
}

/** A number of seconds, at most a year. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,8}$/.test(text) && seconds >= 1 && seconds <= 31_536_000) return seconds;
  throw new InvalidArgumentError('Give a whole number of seconds, from 1 to 31536000.');
}
