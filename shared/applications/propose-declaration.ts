import { approvalMachine } from '../domain/approval/machine.ts';
import { approvalRequirement } from '../domain/approval/requirement.ts';
import type { DeclarationSubject } from '../domain/approval/subject.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import type { ApplicationId, ApprovalId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { transition } from '../domain/machine.ts';
import { declarationChange } from '../gates/declaration-change.ts';
import type { Scope } from '../line/scope.ts';
import { insertApproval, insertApprovalSubject } from '../store/approvals/insert.ts';
import { openDeclarationApprovals } from '../store/approvals/read.ts';
import { updateApproval } from '../store/approvals/update.ts';
import { type Command, rows, write, writeOne } from '../store/command.ts';

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
  const { context, now } = scope;
  const digest = digestOfValue(subject);
  const waiting = yield* closeProposals(scope, subject.application as ApplicationId, digest);
  if (waiting !== undefined) return { approval: waiting, subject: digest, opened: false };
  // What judges changes is like what is installed: never waived.
  const needed = approvalRequirement('high', 'installation');
  const id = context.newId('approval', now);
  yield* write(
    insertApprovalSubject({
      tenant_id: context.tenant,
      digest,
      request_id: null,
      installation_id: null,
      body: JSON.stringify(subject),
      created_at: now,
    }),
  );
  yield* write(
    insertApproval({
      id,
      tenant_id: context.tenant,
      subject_digest: digest,
      request_id: null,
      installation_id: null,
      node: null,
      round: 1,
      type: 'installation',
      state: approvalMachine.initial,
      tier: 'high',
      required: needed.approvals,
      role: needed.role,
      requires_fresh_auth: needed.freshAuthentication ? 1 : 0,
      opened_at: now,
      expires_at: now + LIMITS.approval.expiryMs,
      decided_at: null,
      version: 1,
    }),
  );
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
