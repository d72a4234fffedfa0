import type { Machine } from '../machine.ts';

/** A step of a request's blueprint, in one round. `ready`: every need has ended; `active`: its job, gate or seal is open. */
export type NodeState = 'waiting' | 'ready' | 'active' | 'succeeded' | 'failed' | 'skipped' | 'superseded';
export type NodeEvent = 'needs_met' | 'start' | 'skip' | 'succeed' | 'fail' | 'supersede';

export const nodeMachine: Machine<NodeState, NodeEvent> = {
  name: 'node',
  initial: 'waiting',
  table: {
    waiting: { needs_met: 'ready', supersede: 'superseded' },
    ready: { start: 'active', skip: 'skipped', succeed: 'succeeded', supersede: 'superseded' },
    active: { succeed: 'succeeded', fail: 'failed', supersede: 'superseded' },
    succeeded: { supersede: 'superseded' },
    skipped: { supersede: 'superseded' },
    failed: { supersede: 'superseded' },
    superseded: {},
  },
};
