import type { Command } from 'commander';

const load = () => import('../actions/verify.ts');

export function registerVerifyCommand(program: Command): void {
  program
    .command('verify <bundle>')
    .description('verify an evidence bundle offline: signatures, digest chain, artifacts')
    .option('--keys <file>', 'trust file that was had by another way than the bundle')
    .action(async (file: string, options: { keys?: string }, command: Command) =>
      (await load()).verifyBundle(file, options, command),
    );
}
