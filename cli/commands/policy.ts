import type { Command } from 'commander';
import { DEFAULT_DEFINITIONS } from '../options.ts';

const load = () => import('../actions/policy.ts');

/** policy check|explain: the rules of a definitions directory, offline. */
export function registerPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('policies of a definitions directory');
  policy
    .command('check')
    .description('whether the policies parse, fit the schema and lock nobody out')
    .option('--definitions <directory>', 'definitions to look at', DEFAULT_DEFINITIONS)
    .action(async (options: { definitions: string }, command: Command) => (await load()).checkPolicy(options, command));
  policy
    .command('explain <file>')
    .description('what the policies answer to a question (JSON: principal, action, resource, context), and why')
    .option('--definitions <directory>', 'definitions to ask', DEFAULT_DEFINITIONS)
    .action(async (file: string, options: { definitions: string }, command: Command) =>
      (await load()).explainDecision(file, options, command),
    );
}
