import { approvalMachine } from '../domain/approval/machine.ts';
import type { ApprovalId } from '../domain/ids.ts';
import { transition } from '../domain/machine.ts';
import { declarationChange } from '../gates/declaration-change.ts';
import { PLANE, type PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { lockApplication } from '../store/applications/applications.ts';
import { lockApproval, readApproval } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, one, type Unchanged, unchanged, writeOne } from '../store/command.ts';

type Answer = Committed<boolean>;

/**
 * Ends a proposed declaration that nobody decided on in its time; what is in force stays so. Answers whether it did: false when the
 * proposal was decided, replaced or ended meanwhile.
 */
export function* expireProposal(context: PlaneContext, id: ApprovalId): Command<Answer | Unchanged<Answer>> {
  const { tenant } = context;
  const left = unchanged<Answer>({ answer: false, outbox: [], touched: [] });
  const found = yield* one(readApproval({ tenant, approval: id }));
  const change = found === undefined ? undefined : yield* declarationChange(found);
  if (change === undefined) return left;
  const { application_id: application, subject } = change;
  // As whoever decides does: the application before its approval.
  yield* one(lockApplication({ tenant, application }));
  const locked = yield* one(lockApproval({ tenant, approval: id }));
  if (locked === undefined || locked.state !== 'open' || locked.expires_at > locked.now) return left;
  const { now, ...approval } = locked;
  const state = transition(approvalMachine, approval.state, 'expire');
  yield* writeOne(updateApproval({ ...approval, state, decided_at: now }));
  return yield* commit(
    openScope(context, now, PLANE),
    {
      stream: application,
      commandId: `${id}:expire`,
      action: 'application.declaration-expired',
      subjects: { application, approval: id },
      digests: { declaration: subject.to, before: subject.from, subject: approval.subject_digest },
    },
    true,
  );
}
