import { type EffectEvent, type EffectState, effectMachine } from '../../domain/effect/machine.ts';
import type { EffectId, JobId } from '../../domain/ids.ts';
import { transition } from '../../domain/machine.ts';
import { leaseLost, notFound } from '../../domain/refusal.ts';
import { currentLease } from '../../jobs/held-lease.ts';
import type { EffectAnswer, EffectEventName } from '../../jobs/protocol.ts';
import type { Actor, PlaneContext } from '../../line/context.ts';
import { type Committed, commit, openScope } from '../../line/scope.ts';
import { type Command, one, type Unchanged, unchanged, writeOne } from '../../store/command.ts';
import { lockEffect } from '../../store/effects/read.ts';
import { updateEffect } from '../../store/effects/update.ts';
import type { EffectRow } from '../../store/schema/rows.ts';
import { answerOf } from './answer.ts';

const EVENTS: Readonly<Record<EffectEventName, { readonly event: EffectEvent; readonly leadsTo: EffectState }>> = {
  started: { event: 'start', leadsTo: 'started' },
  completed: { event: 'complete', leadsTo: 'completed' },
  verified: { event: 'verify', leadsTo: 'verified' },
  refuted: { event: 'refute', leadsTo: 'refuted' },
  failed: { event: 'fail', leadsTo: 'failed' },
  uncertain: { event: 'lose_sight', leadsTo: 'uncertain' },
  look_again: { event: 'look_again', leadsTo: 'intended' },
};

const ENDED: readonly EffectState[] = ['verified', 'refuted', 'failed'];

/**
 * Records what happened to an effect, as its current effector saw it. The same event repeated in the state it leads to is
 * answered as it stands. Refuses an effect of another request with 404, a stale lease or another epoch with 409
 * `FACTORY-LEASE-LOST`, and an event that has no place in the effect's state with 409 `FACTORY-WRONG-STATE`.
 */
export function* recordEffect(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  token: string,
  record: { readonly effect: EffectId; readonly event: EffectEventName; readonly observed: string },
): Command<Committed<EffectAnswer> | Unchanged<Committed<EffectAnswer>>> {
  const { job, request, now } = yield* currentLease(context, actor, jobId, token);
  const locked = yield* one(lockEffect({ tenant: context.tenant, effect: record.effect }));
  if (locked === undefined || locked.request_id !== request.id) throw notFound(`Effect ${record.effect}`);
  const { now: _now, ...effect } = locked;
  if (effect.job_id !== job.id || effect.epoch !== job.lease_epoch) throw leaseLost(job.id);
  const { event, leadsTo } = EVENTS[record.event];
  if (effect.state === leadsTo && effect.observed === record.observed)
    return unchanged({ answer: answerOf(effect), outbox: [], touched: [] });
  const state = transition(effectMachine, effect.state, event);
  const row: EffectRow = {
    ...effect,
    state,
    observed: record.observed,
    started_at: state === 'started' ? now : effect.started_at,
    ended_at: ENDED.includes(state) ? now : null,
  };
  yield* writeOne(updateEffect(row));
  const scope = openScope(context, now, actor);
  scope.touched.add(request.id);
  return yield* commit(
    scope,
    {
      stream: job.application_id,
      commandId: `${effect.id}:${effect.version}:${record.event}`,
      action: `effect.${record.event}`,
      subjects: { request: request.id, job: job.id, effect: effect.id },
      values: { observed: record.observed, epoch: job.lease_epoch, kind: effect.kind },
    },
    answerOf(row),
  );
}
