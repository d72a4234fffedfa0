import type { Command } from 'commander';

/** The options that every command has. */
export type GlobalOptions = { readonly data: string; readonly as: string; readonly json: boolean };

export const DEFAULT_DATA = './.factory';

export function globalOptions(command: Command): GlobalOptions {
  const all = command.optsWithGlobals();
  return { data: String(all['data']), as: String(all['as']), json: all['json'] === true };
}
