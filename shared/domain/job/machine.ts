import type { Machine } from '../machine.ts';

/**
 * One queued unit of work. Completion says that the worker finished, not that the result is right. `failed` waits for `advance`,
 * the one place that decides about another attempt.
 */
export type JobState = 'queued' | 'leased' | 'completed' | 'failed' | 'cancelled' | 'dead';
export type JobEvent = 'claim' | 'complete' | 'fail' | 'release' | 'expire' | 'retry' | 'give_up' | 'cancel';

export const jobMachine: Machine<JobState, JobEvent> = {
  name: 'job',
  initial: 'queued',
  table: {
    queued: { claim: 'leased', cancel: 'cancelled', give_up: 'dead' },
    leased: {
      complete: 'completed',
      fail: 'failed',
      release: 'queued',
      expire: 'queued',
      cancel: 'cancelled',
      give_up: 'dead',
    },
    failed: { retry: 'queued', give_up: 'dead', cancel: 'cancelled' },
    completed: {},
    cancelled: {},
    dead: {},
  },
};
