import type { Command } from 'commander';
import { openPlaneApi } from '../api/plane-api.ts';
import { readList } from '../api/read.ts';
import { approvalResource } from '../api/resources.ts';
import { CommandFailure } from '../failure.ts';
import { globalOptions } from '../options.ts';
import { confirmed } from '../output/ask.ts';
import { interactive, print, printJson } from '../output/terminal.ts';
import { approvalLines, decide, readApproval } from '../request/approval.ts';

/** Prints the approvals that wait for people. */
export async function listApprovals(command: Command): Promise<void> {
  const found = await readList(await openPlaneApi(globalOptions(command)), approvalResource, '/approvals');
  if (globalOptions(command).json) return printJson(found);
  for (const { id, type, tier, request, installation } of found)
    print(`${id}  ${type.padEnd(12)} ${(tier ?? '').padEnd(8)} ${request ?? installation ?? ''}`);
  if (found.length === 0) print('Nothing waits for you.');
}

/** Takes an approval back, and prints it. */
export async function revokeApproval(id: string, options: { reason: string }, command: Command): Promise<void> {
  const api = await openPlaneApi(globalOptions(command));
  printJson(await api.call('POST', `/approvals/${id}/revoke`, { json: { reason: options.reason } }));
}

export type DecideOptions = { readonly subject?: string; readonly reason?: string; readonly yes: boolean };

/** Shows an approval, asks on a terminal, and decides it on the digest that was shown. */
export async function decideApproval(
  decision: 'approve' | 'reject',
  id: string,
  options: DecideOptions,
  command: Command,
): Promise<void> {
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
}
