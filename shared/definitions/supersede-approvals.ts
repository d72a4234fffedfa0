import { approvalMachine } from '../domain/approval/machine.ts';
import type { InstallationId } from '../domain/ids.ts';
import { transition } from '../domain/machine.ts';
import type { Scope } from '../line/scope.ts';
import { approvalsOfInstallation } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, rows, writeOne } from '../store/command.ts';

/** The approvals of an installation that is not to be applied any more: none of them can be decided on or used. */
export function* supersedeApprovalsOf({ context, now }: Scope, installation: InstallationId): Command<void> {
  for (const approval of yield* rows(approvalsOfInstallation({ tenant: context.tenant, installation }))) {
    if (approval.state !== 'open' && approval.state !== 'approved') continue;
    yield* writeOne(
      updateApproval({
        ...approval,
        state: transition(approvalMachine, approval.state, 'supersede'),
        decided_at: approval.decided_at ?? now,
      }),
    );
  }
}
