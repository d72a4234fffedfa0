import { approvalMachine } from '../domain/approval/machine.ts';
import type { DeclarationSubject } from '../domain/approval/subject.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import type { ApplicationId, ApprovalId } from '../domain/ids.ts';
import { transition } from '../domain/machine.ts';
import { declarationChange } from '../gates/declaration-change.ts';
import { openConfigurationApproval } from '../gates/open-approval.ts';
import type { Scope } from '../line/scope.ts';
import { openDeclarationApprovals } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, rows, writeOne } from '../store/command.ts';

/** An approval that waits for a second person, and the digest of what they decide on. */
export type Proposed = { readonly approval: ApprovalId; readonly subject: Digest };

/**
 * Opens the approval of another declaration. The same proposal again is answered with the approval that waits already; another one takes
 * its place, as a declaration is approved against what is in force.
 */
export function* proposeDeclaration(
  scope: Scope,
  subject: DeclarationSubject,
): Command<Proposed & { readonly opened: boolean }> {
  const digest = digestOfValue(subject);
  const waiting = yield* closeProposals(scope, subject.application as ApplicationId, digest);
  if (waiting !== undefined) return { approval: waiting, subject: digest, opened: false };
  const { id } = yield* openConfigurationApproval(scope, subject);
  return { approval: id, subject: digest, opened: true };
}

/** Closes the open proposals of an application: none is against what is in force any more. Answers the one of `kept`, which stays open. */
export function* closeProposals(
  scope: Scope,
  application: ApplicationId,
  kept: Digest | undefined,
): Command<ApprovalId | undefined> {
  let waiting: ApprovalId | undefined;
  for (const open of yield* rows(openDeclarationApprovals({ tenant: scope.context.tenant }))) {
    const change = yield* declarationChange(open);
    if (change?.application_id !== application) continue;
    const expired = open.expires_at <= scope.now;
    if (open.subject_digest === kept && !expired) {
      waiting = open.id;
      continue;
    }
    const state = transition(approvalMachine, open.state, expired ? 'expire' : 'supersede');
    yield* writeOne(updateApproval({ ...open, state, decided_at: scope.now }));
    scope.changes.push(`${state} ${open.id}`);
  }
  return waiting;
}
