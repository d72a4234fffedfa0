import { LIMITS } from '../domain/limits.ts';
import { rerunRequest } from '../line/begin.ts';
import type { Actor } from '../line/context.ts';
import { commit, openScope } from '../line/scope.ts';
import { rows } from '../store/command.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import { reviveOutbox } from '../store/platform/outbox.ts';
import { overdueRequests } from '../store/platform/sweeps.ts';
import type { SweepParts } from './sweep.ts';

export type Reconciled = { readonly revived: number; readonly looked: number; readonly reruns: number };

/**
 * What an operator asks for after an outage: outbox rows that were given up go back to work, and every open request's
 * orchestrator is looked up at once, without waiting for its next deadline; one that is missing or ended gets another run.
 * Bounded by `LIMITS.outbox.batch` rows and `LIMITS.sweep.batch` requests a call, those with the nearest deadlines first: call it
 * again while it revives or reruns something.
 */
export async function reconcile({ store, run, orchestrations }: SweepParts, actor: Actor): Promise<Reconciled> {
  const revived = await run('reconcile.outbox', function* (context) {
    const now = yield* databaseTime();
    const taken = yield* rows(reviveOutbox({ limit: LIMITS.outbox.batch }));
    return yield* commit(
      openScope(context, now, actor),
      {
        stream: context.tenant,
        commandId: `${context.newId('outbox', now)}:reconcile`,
        action: 'plane.reconciled',
        subjects: {},
        values: { revived: taken.length },
      },
      taken.length,
    );
  });
  const open = await store.read('reconcile.open', () =>
    rows(overdueRequests({ limit: LIMITS.sweep.batch, before: Number.MAX_SAFE_INTEGER })),
  );
  let reruns = 0;
  for (const request of open) {
    if ((await orchestrations.look(request.id, request.run)) === 'running') continue;
    if (await run('reconcile.rerun', (context) => rerunRequest(context, request.id, request.run))) reruns += 1;
  }
  return { revived, looked: open.length, reruns };
}
