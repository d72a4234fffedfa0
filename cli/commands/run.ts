import type { Command } from 'commander';

import type { RunOptions } from '../actions/run.ts';
import { parseSeconds } from '../options.ts';

const load = () => import('../actions/run.ts');

/** run: everything from a packet and a repository to the end of the request. */
export function registerRunCommand(program: Command): void {
  program
    .command('run <packet>')
    .description('run a task packet on a git repository of this machine, and follow it to its end')
    .requiredOption(
      '--repository <path>',
      'a bare repository or a working copy; the branch factory/<request> is pushed to it',
    )
    .option(
      '--declaration <file>',
      'application declaration (YAML); without it what is declared is kept, or one is made by what the repository holds (see factory register)',
    )
    .option('--yes', 'let local identities approve what waits for a person', false)
    .option('--limit <seconds>', 'stop waiting after so long; the request goes on', parseSeconds, 86_400)
    .action(async (file: string, options: RunOptions, command: Command) =>
      (await load()).runPacket(file, options, command),
    );
}
