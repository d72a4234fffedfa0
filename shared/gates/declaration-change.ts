import type { ApprovalSubject, DeclarationSubject } from '../domain/approval/subject.ts';
import type { ApplicationId, PrincipalId, TenantId } from '../domain/ids.ts';
import { findApprovalSubject } from '../store/approvals/read.ts';
import { type Command, one } from '../store/command.ts';
import type { ApprovalRow } from '../store/schema/rows.ts';

/** What an approval that is of no request is about: an installation's row, or a proposed declaration in the same words. */
export type ConfigurationChange = {
  readonly tenant_id: TenantId;
  readonly application_id: ApplicationId;
  readonly requested_by: PrincipalId;
  readonly created_at: number;
};
export type DeclarationChange = ConfigurationChange & { readonly subject: DeclarationSubject };

/** Whether an approval is of a proposed declaration: it is of no request and of no installation. */
export const isOfDeclaration = (approval: Pick<ApprovalRow, 'request_id' | 'installation_id'>): boolean =>
  approval.request_id === null && approval.installation_id === null;

/** The declaration that an approval is about; undefined for the approval of anything else. */
export function* declarationChange(approval: ApprovalRow): Command<DeclarationChange | undefined> {
  if (!isOfDeclaration(approval)) return undefined;
  const { tenant_id: tenant, subject_digest: digest, opened_at: openedAt } = approval;
  const stored = yield* one(findApprovalSubject({ tenant, digest }));
  const subject = stored === undefined ? undefined : (JSON.parse(stored.body) as ApprovalSubject);
  if (subject?.type !== 'declaration')
    throw new Error(`approval ${approval.id} is of no request, no installation and no declaration`);
  return {
    tenant_id: tenant,
    application_id: subject.application as ApplicationId,
    requested_by: subject.requestedBy as PrincipalId,
    created_at: openedAt,
    subject,
  };
}
