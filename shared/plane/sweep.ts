import { expireProposal } from '../applications/expire-proposal.ts';
import type { InstallationId, RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { advanceRequest, rerunRequest } from '../line/begin.ts';
import { endOverdueLook } from '../line/cancel.ts';
import { PLANE } from '../line/context.ts';
import { openScope, tell } from '../line/scope.ts';
import type { OutboxBody, OutboxEntry } from '../outbox/entry.ts';
import type { Relay } from '../outbox/relay.ts';
import { writeOutbox } from '../outbox/write.ts';
import { rows } from '../store/command.ts';
import { claimDueOutbox, tenantsWithDueOutbox } from '../store/platform/outbox.ts';
import { beatHeart } from '../store/platform/plane.ts';
import {
  expiredLeases,
  jobsToHint,
  overdueInstallations,
  overdueProposals,
  overdueRequests,
} from '../store/platform/sweeps.ts';
import type { Store } from '../store/store.ts';
import type { Orchestrations } from './orchestrations.ts';
import type { RunCommand } from './run.ts';

export type SweepParts = {
  readonly store: Store;
  readonly run: RunCommand;
  readonly relay: Relay;
  readonly orchestrations: Orchestrations;
  readonly report: (error: unknown) => void;
};
export type Swept = {
  readonly outbox: number;
  readonly leases: number;
  readonly hints: number;
  readonly reruns: number;
};

/** How long after its deadline a request's own orchestrator may still be on its way. */
const OVERDUE_GRACE_MS = 5_000;

/**
 * One round of looking after what nobody looks after any more: the heartbeat, outbox rows of dead processes, expired leases,
 * queued jobs whose hint may be lost, overdue requests whose orchestrator may be gone, and proposals past their time.
 * Each part is bounded by `LIMITS.sweep.batch`, harmless to repeat, and a fault in one does not keep the others from
 * running.
 */
export function createSweep(parts: SweepParts): () => Promise<Swept> {
  let running: Promise<Swept> | undefined;
  return () => {
    running ??= sweepOnce(parts).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function sweepOnce(parts: SweepParts): Promise<Swept> {
  const guarded = async (part: (parts: SweepParts) => Promise<number>): Promise<number> => {
    try {
      return await part(parts);
    } catch (error) {
      parts.report(error);
      return 0;
    }
  };
  await guarded(async ({ store }) => {
    await store.run('sweep.heartbeat', () => rows(beatHeart({ gap: LIMITS.sweep.heartbeatGapMs })));
    return 1;
  });
  const leases = await guarded(sweepLeases);
  const hints = await guarded(sweepHints);
  const outbox = await guarded(sweepOutbox);
  const reruns = (await guarded(sweepRequests)) + (await guarded(sweepInstallations));
  await guarded(sweepProposals);
  return { outbox, leases, hints, reruns };
}

/** Takes due rows, round-robin by tenant, and delivers them. */
async function sweepOutbox({ store, relay }: SweepParts): Promise<number> {
  const tenants = await store.read('sweep.tenants', () => rows(tenantsWithDueOutbox({})));
  const entries: OutboxEntry[] = [];
  const share = Math.max(1, Math.floor(LIMITS.outbox.batch / Math.max(1, tenants.length)));
  for (const { tenant_id: tenant } of tenants.slice(0, LIMITS.outbox.batch)) {
    const taken = await store.run('sweep.outbox', () =>
      rows(claimDueOutbox({ tenant, limit: share, until: Date.now() + LIMITS.outbox.claimMs })),
    );
    for (const row of taken)
      entries.push({
        id: row.id,
        tenant: row.tenant_id,
        aggregate: row.aggregate,
        body: JSON.parse(row.body) as OutboxBody,
        attempts: row.attempts,
        availableAt: 0,
      });
  }
  await relay.settle(entries);
  return entries.length;
}

async function sweepLeases({ store, run }: SweepParts): Promise<number> {
  const expired = await store.read('sweep.leases', () => rows(expiredLeases({ limit: LIMITS.sweep.batch })));
  for (const { request_id: request } of expired)
    await run('sweep.advance', (context) => advanceRequest(context, request));
  return expired.length;
}

/** Queued jobs are told of again, since a hint may have been lost on any way. */
async function sweepHints({ run }: SweepParts): Promise<number> {
  return await run('sweep.hints', function* (context) {
    const now = Date.now();
    const due = yield* rows(jobsToHint({ limit: LIMITS.sweep.batch, next_hint_at: now + context.hintIntervalMs }));
    const scope = openScope(context, now, PLANE);
    for (const job of due) tell(scope, job.id, { kind: 'hint', job: job.id, pool: job.pool, request: job.request_id });
    yield* writeOutbox(scope);
    return { answer: due.length, outbox: scope.outbox, touched: [] };
  });
}

/** A lost task hub heals here: an overdue request whose instance is missing or ended gets another run. */
async function sweepRequests({ store, run, orchestrations }: SweepParts): Promise<number> {
  const overdue = await store.read('sweep.requests', () =>
    rows(overdueRequests({ limit: LIMITS.sweep.batch, before: Date.now() - OVERDUE_GRACE_MS })),
  );
  let reruns = 0;
  for (const { id, run: current, state } of overdue) {
    if (state === 'cancelling') await run('sweep.look', (context) => endOverdueLook(context, id as RequestId));
    else await run('sweep.advance', (context) => advanceRequest(context, id as RequestId));
    if ((await orchestrations.look(id, current)) === 'running') continue;
    if (await run('sweep.rerun', (context) => rerunRequest(context, id as RequestId, current))) reruns += 1;
  }
  return reruns;
}

async function sweepInstallations({ store, orchestrations }: SweepParts): Promise<number> {
  const overdue = await store.read('sweep.installations', () =>
    rows(overdueInstallations({ limit: LIMITS.sweep.batch, before: Date.now() - OVERDUE_GRACE_MS })),
  );
  for (const { id, run } of overdue) {
    if ((await orchestrations.look(id as InstallationId, run)) !== 'running')
      await orchestrations.start('installation', id, run);
  }
  return overdue.length;
}

/** Gates and installations have an orchestrator that ends them in time; a proposed declaration has none. */
async function sweepProposals({ store, run }: SweepParts): Promise<number> {
  const overdue = await store.read('sweep.proposals', () => rows(overdueProposals({ limit: LIMITS.sweep.batch })));
  for (const { id } of overdue) await run('sweep.proposal', (context) => expireProposal(context, id));
  return overdue.length;
}
