import { insertRow, insertRowIfAbsent } from '../row-statements.ts';
import { approvalDecisions, approvalSubjects, approvals, approvalUses } from '../schema/tables/approval.ts';

/** A subject is its digest: a second insert of the same changes nothing. */
export const insertApprovalSubject = insertRowIfAbsent('approvals.insertSubject', approvalSubjects, 'approval');

export const insertApproval = insertRow('approvals.insert', approvals, 'approval');

/** One decision a principal: `write` answers 0 when there is one. */
export const insertApprovalDecision = insertRowIfAbsent('approvals.insertDecision', approvalDecisions, 'approval', [
  'approval_id',
  'principal_id',
]);

/** `write` answers 0 when this approval was already used for this effect key. */
export const insertApprovalUse = insertRowIfAbsent('approvals.insertUse', approvalUses, 'approval');
