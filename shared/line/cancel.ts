import type { PrincipalId, RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { transition } from '../domain/machine.ts';
import { notFound } from '../domain/refusal.ts';
import { type RequestState, requestMachine } from '../domain/request/machine.ts';
import { permit } from '../gates/policy-decision.ts';
import { requestResource } from '../gates/request-resource.ts';
import { readApplication } from '../store/applications/applications.ts';
import { supersedeOpenApprovals } from '../store/approvals/supersede.ts';
import { type Command, one, rows, type Unchanged, unchanged, write, writeOne } from '../store/command.ts';
import { effectsOfRequest } from '../store/effects/read.ts';
import { outputsOfNodes } from '../store/jobs/artifacts.ts';
import { cancelJobs } from '../store/jobs/cancel.ts';
import { openJobsOfRequest } from '../store/jobs/read.ts';
import { insertNodes } from '../store/nodes/insert.ts';
import { lockRequest } from '../store/requests/lock.ts';
import { updateRequest } from '../store/requests/update.ts';
import type { LockedRequest, RequestRow } from '../store/schema/rows.ts';
import { applyConclusion } from './conclude.ts';
import { type Actor, PLANE, type PlaneContext } from './context.ts';
import { endAttemptsOfRequest } from './end-attempt.ts';
import { commonInputs, newJob, queueJobs } from './enqueue.ts';
import { newNode } from './node-rows.ts';
import { type Committed, commit, openScope, type Scope, tell } from './scope.ts';

export type Cancelled = { readonly id: RequestId; readonly state: RequestState };

/** The node that looks at effects whose outcome is not known, when a request is cancelled. It is no part of any blueprint. */
export const LOOK_NODE = 'look_at_effects';

/**
 * Cancels a request: every lease becomes past, open approvals are superseded, and for effects that were started and not seen
 * finished a job is queued that only looks. `CANCELLED` follows when that job has ended or its deadline has passed.
 */
export function* cancelRequest(
  context: PlaneContext,
  actor: Actor,
  id: RequestId,
  reason: string,
): Command<Committed<Cancelled> | Unchanged<Committed<Cancelled>>> {
  const row = yield* one(lockRequest({ tenant: context.tenant, request: id }));
  if (row === undefined) throw notFound(`Request ${id}`);
  const application = yield* one(readApplication({ tenant: context.tenant, application: row.application_id }));
  permit(
    context,
    application?.definitions_digest ?? null,
    actor,
    row.now,
    'cancelRequest',
    yield* requestResource(row),
    `request ${id}`,
  );
  const state = transition(requestMachine, row.state, 'cancel');
  if (state === row.state) return unchanged({ answer: { id, state }, outbox: [], touched: [] });
  const scope = openScope(context, row.now, actor);
  scope.touched.add(id);
  yield* endAttemptsOfRequest(scope, id);
  yield* rows(cancelJobs({ tenant: context.tenant, request: id }));
  yield* write(supersedeOpenApprovals({ tenant: context.tenant, request: id }));
  const { now: _now, ...before } = row;
  const cancelling: RequestRow = {
    ...before,
    state,
    cancel_requested_at: row.now,
    cancelled_by: actor.principal as PrincipalId,
    cancel_reason: reason,
    next_wake_at: row.now + LIMITS.effect.lookMs,
  };
  const effects = yield* rows(effectsOfRequest({ tenant: context.tenant, request: id }));
  const unseen = effects.filter(
    (effect) => effect.state === 'started' || effect.state === 'completed' || effect.state === 'uncertain',
  );
  for (const effect of unseen) scope.changes.push(`look at ${effect.id} ${effect.state}`);
  if (unseen.length > 0) {
    yield* queueLook(scope, cancelling);
    tell(scope, id, { kind: 'nudge', orchestrator: 'request', id, run: row.run });
    yield* writeOne(updateRequest({ ...cancelling, nudged: 1 }));
  } else {
    yield* writeOne(updateRequest(yield* concludeCancelled(scope, cancelling)));
  }
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${id}:cancel`,
      action: 'request.cancelled',
      subjects: { request: id },
      values: { reason },
    },
    { id, state },
  );
}

/** Run when a look-only job of a cancelling request has ended, and when its time is over: ends the request as CANCELLED. */
export function* endLook(scope: Scope, { now: _now, ...row }: LockedRequest): Command<void> {
  if (row.state !== 'cancelling') return;
  const open = yield* rows(openJobsOfRequest({ tenant: row.tenant_id, request: row.id }));
  const stillLooking = open.some((job) => job.state === 'queued' || job.state === 'leased');
  const givenUp = row.cancel_requested_at !== null && scope.now >= row.cancel_requested_at + LIMITS.effect.lookMs;
  if (stillLooking && !givenUp) return;
  yield* writeOne(updateRequest(yield* concludeCancelled(scope, row)));
  scope.touched.add(row.id);
}

/** As the sweeper does when nobody answered in time: the look is given up, and what is not known is listed as such. */
export function* endOverdueLook(
  context: PlaneContext,
  id: RequestId,
): Command<Committed<boolean> | Unchanged<Committed<boolean>>> {
  const row = yield* one(lockRequest({ tenant: context.tenant, request: id }));
  if (row === undefined || row.state !== 'cancelling') return unchanged({ answer: false, outbox: [], touched: [] });
  const scope = openScope(context, row.now, PLANE);
  yield* endLook(scope, row);
  if (!scope.touched.has(id)) return unchanged({ answer: false, outbox: [], touched: [] });
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${id}:look-over`,
      action: 'request.look-over',
      subjects: { request: id },
    },
    true,
  );
}

function* concludeCancelled(scope: Scope, row: RequestRow): Command<RequestRow> {
  const request = { row: { ...row, state: transition(requestMachine, row.state, 'looked') } };
  yield* applyConclusion(scope, request, {
    state: 'CANCELLED',
    by: row.cancelled_by ?? 'unknown',
    reason: row.cancel_reason ?? '',
  });
  return request.row;
}

/** What the look needs to recognise what it looks for: the outputs of the nodes that made and tested the change. */
const LOOKED_FOR: readonly { readonly node: string; readonly output: string }[] = [
  { node: 'fetch', output: 'source' },
  { node: 'plan', output: 'plan' },
  { node: 'implement', output: 'change' },
  { node: 'implement', output: 'diff' },
  { node: 'validate', output: 'receipt' },
];

function* queueLook(scope: Scope, row: RequestRow): Command<void> {
  const node = newNode(scope, row, {
    name: LOOK_NODE,
    round: 1,
    kind: 'job',
    pool: 'effect',
    state: 'active',
    needs_left: 0,
    started_at: scope.now,
    ordinal: LIMITS.blueprint.nodes,
  });
  yield* write(insertNodes([node]));
  const names = [...new Set(LOOKED_FOR.map((wanted) => wanted.node))];
  const made = yield* rows(outputsOfNodes({ tenant: row.tenant_id, request: row.id, names: JSON.stringify(names) }));
  const inputs = yield* commonInputs(row);
  for (const output of made) {
    if (LOOKED_FOR.some((wanted) => wanted.node === output.node && wanted.output === output.name))
      inputs.push({
        name: output.name,
        digest: output.digest,
        kind: output.kind,
        media_type: output.media_type,
        size: output.size,
      });
  }
  const job = newJob(scope, row, node, {
    pool: 'effect',
    task: 'deliver',
    station: null,
    timeoutMs: LIMITS.effect.lookMs,
    index: 0,
    parameters: { lookOnly: true },
  });
  yield* queueJobs(scope, [job], inputs);
}
