import type { Machine } from '../machine.ts';

/**
 * A change to a real system. `uncertain`: it may or may not have happened, so it is never repeated blindly: look first.
 * Completion is the effector's word; `verified` is what was seen when it looked again.
 */
export type EffectState =
  | 'intended'
  | 'started'
  | 'completed'
  | 'verified'
  | 'refuted'
  | 'failed'
  | 'uncertain'
  | 'rolled_back';
export type EffectEvent =
  | 'start'
  | 'complete'
  | 'verify'
  | 'refute'
  | 'fail'
  | 'lose_sight'
  | 'look_again'
  | 'roll_back';

export const effectMachine: Machine<EffectState, EffectEvent> = {
  name: 'effect',
  initial: 'intended',
  table: {
    intended: { start: 'started', look_again: 'intended' },
    started: { complete: 'completed', fail: 'failed', lose_sight: 'uncertain' },
    completed: { verify: 'verified', refute: 'refuted', lose_sight: 'uncertain' },
    uncertain: { verify: 'verified', look_again: 'intended', refute: 'refuted' },
    failed: { verify: 'verified', look_again: 'intended', refute: 'refuted' },
    verified: { roll_back: 'rolled_back' },
    refuted: {},
    rolled_back: {},
  },
};
