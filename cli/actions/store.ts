import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { exportStatements } from '../../shared/store/export.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { print, printJson } from '../output/terminal.ts';

/** Writes schema and statements of a dialect, and prints the files. */
export async function exportStore(options: { dialect: string; out: string }, command: Command): Promise<void> {
  if (options.dialect !== 'azure-sql' && options.dialect !== 'sqlite')
    throw new CommandFailure(`--dialect ${options.dialect} is not known: give azure-sql or sqlite.`, 2);
  const { schema, queries } = exportStatements(options.dialect);
  mkdirSync(options.out, { recursive: true });
  const files: string[] = [];
  for (const [name, text] of [
    ['schema.sql', schema],
    ['queries.sql', queries],
  ] as const) {
    const file = path.join(options.out, name);
    writeFileSync(file, text);
    files.push(file);
    print(file);
  }
  if (globalOptions(command).json) printJson(files);
}
