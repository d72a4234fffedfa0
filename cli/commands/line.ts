import type { Command } from 'commander';
import { DEFAULT_DEFINITIONS } from '../options.ts';

const load = () => import('../actions/line.ts');

/** line list|show|check: product lines of a definitions directory, offline. */
export function registerLineCommands(program: Command): void {
  const line = program.command('line').description('product lines of a definitions directory');
  const withDirectory = (command: Command): Command =>
    command.option('--definitions <directory>', 'definitions to look at', DEFAULT_DEFINITIONS);

  withDirectory(line.command('list').description('the product lines')).action(
    async (options: { definitions: string }, command: Command) => (await load()).listLines(options, command),
  );

  withDirectory(line.command('show <name>').description('the steps of a product line, in order')).action(
    async (name: string, options: { definitions: string }, command: Command) =>
      (await load()).showLine(name, options, command),
  );

  withDirectory(
    line.command('check').description('whether definitions can be installed, and what is wrong with them'),
  ).action(async (options: { definitions: string }, command: Command) => (await load()).checkLines(options, command));
}
