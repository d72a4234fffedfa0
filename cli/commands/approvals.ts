import type { Command } from 'commander';
import type { DecideOptions } from '../actions/approvals.ts';

const load = () => import('../actions/approvals.ts');

/** approvals, approve, reject, revoke: what waits for people, and their decisions. Act as an approver with --as. */
export function registerApprovalCommands(program: Command): void {
  program
    .command('approvals')
    .description('approvals that wait for people')
    .action(async (_options: unknown, command: Command) => (await load()).listApprovals(command));

  for (const decision of ['approve', 'reject'] as const) {
    program
      .command(`${decision} <approval>`)
      .description(`${decision} what the approval shows; use --as approver (or another who may)`)
      .option('--subject <digest>', 'decide only if the subject still has this digest')
      .option(
        '--reason <text>',
        'why; it is recorded',
        decision === 'approve' ? 'Looked at and approved on the command line.' : undefined,
      )
      .option('--yes', 'do not ask', false)
      .action(async (id: string, options: DecideOptions, command: Command) =>
        (await load()).decideApproval(decision, id, options, command),
      );
  }

  program
    .command('revoke <approval>')
    .description('take an approval back before it is used')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (id: string, options: { reason: string }, command: Command) =>
      (await load()).revokeApproval(id, options, command),
    );
}
