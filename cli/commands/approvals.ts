import type { Command } from 'commander';
import { openPlaneApi } from '../api/plane-api.ts';
import { readList } from '../api/read.ts';
import { approvalResource } from '../api/resources.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { confirmed } from '../output/ask.ts';
import { interactive, print, printJson } from '../output/terminal.ts';
import { approvalLines, decide, readApproval } from '../request/approval.ts';

/** approvals, approve, reject, revoke: what waits for people, and their decisions. Act as an approver with --as. */
export function registerApprovalCommands(program: Command): void {
  program
    .command('approvals')
    .description('approvals that wait for people')
    .action(async (_options: unknown, command: Command) => {
      const found = await readList(await openPlaneApi(globalOptions(command)), approvalResource, '/approvals');
      if (globalOptions(command).json) return printJson(found);
      for (const { id, type, tier, request, installation } of found)
        print(`${id}  ${type.padEnd(12)} ${(tier ?? '').padEnd(8)} ${request ?? installation ?? ''}`);
      if (found.length === 0) print('Nothing waits for you.');
    });

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
      .action(async (id: string, options: { subject?: string; reason?: string; yes: boolean }, command: Command) => {
        const { json } = globalOptions(command);
        if (options.reason === undefined)
          throw new CommandFailure(`Say why with --reason: it is recorded with the decision.`, 2);
        const api = await openPlaneApi(globalOptions(command));
        const approval = await readApproval(api, id);
        if (options.subject !== undefined && options.subject !== approval.subject)
          throw new CommandFailure(
            `Approval ${id} is about ${approval.subject} now, not ${options.subject}. Look at it again: factory approvals`,
          );
        if (!json) for (const line of approvalLines(approval)) print(line);
        if (
          !options.yes &&
          interactive() &&
          !(await confirmed(`${decision === 'approve' ? 'Approve' : 'Reject'} it as ${api.identity}?`))
        )
          throw new CommandFailure('Nothing was decided.');
        const decided = await decide(api, approval, decision, options.reason);
        if (json) return printJson(decided);
        print(`${decided.approval} is ${decided.state}: ${decided.approvals} of ${decided.required} needed.`);
      });
  }

  program
    .command('revoke <approval>')
    .description('take an approval back before it is used')
    .requiredOption('--reason <text>', 'why; it is recorded')
    .action(async (id: string, options: { reason: string }, command: Command) => {
      const api = await openPlaneApi(globalOptions(command));
      printJson(await api.call('POST', `/approvals/${id}/revoke`, { json: { reason: options.reason } }));
    });
}
