import type { Command } from 'commander';

const load = () => import('../actions/verify.ts');

export function registerVerifyCommand(program: Command): void {
  program
    .command('verify <bundle>')
    .description('verify an evidence bundle offline: signatures, digest chain, artifacts')
    .option('--keys <file>', 'trust file that was had by another way than the bundle')
    .addHelpText(
      'after',
      '\nExit codes: 0 it holds, and every artifact it refers to is in the file; 3 it holds, and some artifacts are not in the file;\n1 it does not hold.',
    )
    .action(async (file: string, options: { keys?: string }, command: Command) =>
      (await load()).verifyBundle(file, options, command),
    );
}
