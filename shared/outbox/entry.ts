import type { Pool } from '../domain/blueprint/schema.ts';

/**
 * What is to be told after a commit. `hint`: a job may be claimed. `start` and `nudge`: to a request's (or an installation's)
 * orchestrator. `seal`: control is to build and sign evidence.
 */
export type OutboxBody =
  | { readonly kind: 'hint'; readonly job: string; readonly pool: Pool; readonly request: string }
  | {
      readonly kind: 'start';
      readonly orchestrator: 'request' | 'installation';
      readonly id: string;
      readonly run: number;
      /** Until when nothing is due, as of the commit: the instance need not ask first. */
      readonly wakeAt?: number;
    }
  | {
      readonly kind: 'nudge';
      readonly orchestrator: 'request' | 'installation';
      readonly id: string;
      readonly run: number;
    }
  | {
      readonly kind: 'seal';
      readonly subject: 'change_evidence' | 'evidence_bundle';
      readonly request: string;
      readonly node: string | null;
      readonly round: number;
    };

export type OutboxEntry = {
  readonly id: string;
  readonly tenant: string;
  readonly aggregate: string;
  readonly body: OutboxBody;
  readonly attempts: number /** Not to be delivered before; the committer delivers only what is due at once. */;
  readonly availableAt: number;
};

/** The instance id of an orchestrator: one per run, so that a finished one is never overwritten by a late start. */
export const instanceId = (id: string, run: number): string => `${id}.${run}`;
