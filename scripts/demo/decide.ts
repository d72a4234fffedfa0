import { confirm, isCancel } from '@clack/prompts';
import type { PlaneApi } from '../../cli/api/plane-api.ts';
import { CommandFailure } from '../../cli/failure.ts';
import { dim, print } from '../../cli/output/terminal.ts';
import { approvalLines, decide, readApproval } from '../../cli/request/approval.ts';

/** Exit code of a command that was ended by Ctrl-C (128 + SIGINT). */
export const INTERRUPTED = 130;

/** Who decides: a person at this terminal, or a second local identity that stands in for one. */
export type Decider = {
  readonly asks: boolean;
  /** Aborted once the demo is being ended: from then on nobody is asked, and nothing is decided. */
  readonly leaving: AbortSignal;
};

/** Shows an approval and decides on it as `approver`; says whose decision it was. */
export async function decideOn(approver: PlaneApi, id: string, decider: Decider): Promise<void> {
  const approval = await readApproval(approver, id);
  // Whoever ends the demo exits the process; until then this waits.
  if (decider.leaving.aborted) await new Promise<never>(() => {});
  for (const line of approvalLines(approval)) print(`  ${line}`);
  const decision = decider.asks ? await askPerson(approver.identity) : 'approve';
  const who = decider.asks
    ? 'you, on this terminal'
    : `the second local identity "${approver.identity}", which stands in for a person here`;
  const decided = await decide(approver, approval, decision, `Decided in the demo by ${who}.`);
  print(
    dim(
      `  ${decision === 'approve' ? 'approved' : 'rejected'} by ${who}: ${decided.state}, ${decided.approvals} of ${decided.required}`,
    ),
  );
}

async function askPerson(identity: string): Promise<'approve' | 'reject'> {
  const answer = await confirm({ message: `Approve it (as ${identity})?` });
  // Leaving is no decision: nothing may be recorded as this person's no.
  if (isCancel(answer)) throw new CommandFailure('Left at a question, which stays undecided.', INTERRUPTED);
  return answer ? 'approve' : 'reject';
}
