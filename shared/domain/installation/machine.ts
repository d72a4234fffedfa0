import type { Machine } from '../machine.ts';

/** Definitions on an application: planned, approved, applied; drift leads to another plan. */
export type InstallationState =
  | 'planned'
  | 'approved'
  | 'applying'
  | 'applied'
  | 'failed'
  | 'drifted'
  | 'superseded'
  | 'rolled_back'
  | 'rejected';
export type InstallationEvent =
  | 'approve'
  | 'reject'
  | 'apply'
  | 'succeed'
  | 'fail'
  | 'drift'
  | 'plan'
  | 'supersede'
  | 'roll_back';

export const installationMachine: Machine<InstallationState, InstallationEvent> = {
  name: 'installation',
  initial: 'planned',
  table: {
    planned: { approve: 'approved', reject: 'rejected', supersede: 'superseded' },
    approved: { apply: 'applying', supersede: 'superseded' },
    applying: { succeed: 'applied', fail: 'failed' },
    applied: { drift: 'drifted', supersede: 'superseded', roll_back: 'rolled_back' },
    drifted: { plan: 'planned', supersede: 'superseded' },
    failed: { plan: 'planned' },
    rejected: {},
    superseded: {},
    rolled_back: {},
  },
};
