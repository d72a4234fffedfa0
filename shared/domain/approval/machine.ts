import type { Machine } from '../machine.ts';

export type ApprovalState = 'open' | 'approved' | 'rejected' | 'expired' | 'revoked' | 'superseded';
export type ApprovalEvent = 'approve' | 'reject' | 'expire' | 'revoke' | 'supersede';

export const approvalMachine: Machine<ApprovalState, ApprovalEvent> = {
  name: 'approval',
  initial: 'open',
  table: {
    open: { approve: 'approved', reject: 'rejected', expire: 'expired', revoke: 'revoked', supersede: 'superseded' },
    approved: { expire: 'expired', revoke: 'revoked', supersede: 'superseded' },
    rejected: {},
    expired: {},
    revoked: {},
    superseded: {},
  },
};
