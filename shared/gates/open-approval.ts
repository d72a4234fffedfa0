import { approvalMachine } from '../domain/approval/machine.ts';
import { type ApprovalRequirement, approvalRequirement } from '../domain/approval/requirement.ts';
import type { ApprovalSubject, DeclarationSubject, InstallSubject } from '../domain/approval/subject.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import type { ApprovalId, InstallationId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Scope } from '../line/scope.ts';
import { insertApproval, insertApprovalSubject } from '../store/approvals/insert.ts';
import { type Command, write } from '../store/command.ts';
import type { ApprovalRow } from '../store/schema/rows.ts';

/** An open approval, and the digest of the subject that people decide on. */
export type OpenedApproval = { readonly id: ApprovalId; readonly subject: Digest };

/** Opens an approval of exactly this subject. */
export function* openApproval(
  { context, now }: Scope,
  subject: ApprovalSubject,
  needed: ApprovalRequirement,
  of: Pick<ApprovalRow, 'request_id' | 'installation_id' | 'node' | 'round' | 'type' | 'tier' | 'expires_at'>,
): Command<OpenedApproval> {
  const digest = digestOfValue(subject);
  const id = context.newId('approval', now);
  const { request_id, installation_id } = of;
  yield* write(
    insertApprovalSubject({
      tenant_id: context.tenant,
      digest,
      request_id,
      installation_id,
      body: JSON.stringify(subject),
      created_at: now,
    }),
  );
  yield* write(
    insertApproval({
      ...of,
      id,
      tenant_id: context.tenant,
      subject_digest: digest,
      state: approvalMachine.initial,
      required: needed.approvals,
      role: needed.role,
      requires_fresh_auth: needed.freshAuthentication ? 1 : 0,
      opened_at: now,
      decided_at: null,
      version: 1,
    }),
  );
  return { id, subject: digest };
}

/** Opens the approval of what decides about every later change, definitions or a declaration: never waived. */
export function* openConfigurationApproval(
  scope: Scope,
  subject: InstallSubject | DeclarationSubject,
): Command<OpenedApproval & { readonly expiresAt: number }> {
  const expiresAt = scope.now + LIMITS.approval.expiryMs;
  const opened = yield* openApproval(scope, subject, approvalRequirement('high', 'installation'), {
    request_id: null,
    installation_id: subject.type === 'installation' ? (subject.installation as InstallationId) : null,
    node: null,
    round: 1,
    type: 'installation',
    tier: 'high',
    expires_at: expiresAt,
  });
  return { ...opened, expiresAt };
}
