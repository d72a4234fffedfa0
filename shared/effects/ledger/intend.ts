import type { Digest } from '../../domain/digest.ts';
import { digestOfValue } from '../../domain/digest.ts';
import { effectMachine } from '../../domain/effect/machine.ts';
import type { JobId } from '../../domain/ids.ts';
import { LIMITS } from '../../domain/limits.ts';
import { Refusal } from '../../domain/refusal.ts';
import { decide, forbidden, recordDecision } from '../../gates/policy-decision.ts';
import { currentLease, type HeldLease } from '../../jobs/held-lease.ts';
import type { EffectAnswer, IntendBody } from '../../jobs/protocol.ts';
import { pinnedGraph } from '../../line/advance.ts';
import type { Actor, PlaneContext } from '../../line/context.ts';
import { type Committed, commit, openScope } from '../../line/scope.ts';
import { readApplication } from '../../store/applications/applications.ts';
import { insertApprovalUse } from '../../store/approvals/insert.ts';
import { type Command, one, type Unchanged, unchanged, write, writeOne } from '../../store/command.ts';
import { insertEffect } from '../../store/effects/insert.ts';
import { lockEffectByKey } from '../../store/effects/read.ts';
import { updateEffect } from '../../store/effects/update.ts';
import type { EffectRow } from '../../store/schema/rows.ts';
import { answerOf } from './answer.ts';
import { coverageOf, stale } from './coverage.ts';
import { effectKinds, effectTarget } from './target.ts';

type Intended = Committed<EffectAnswer>;

/**
 * Writes an effect as `intended`, right before it is performed: the lease is current, the approval is valid for exactly these
 * digests (or the gate was waived by a recorded policy decision), the tree is the tested one, and the current policy permits it.
 * The same effect intended again (its effector died, or its answer was lost) is answered as it stands; the caller looks first.
 */
export function* intendEffect(
  context: PlaneContext,
  actor: Actor,
  jobId: JobId,
  token: string,
  body: IntendBody,
): Command<Intended | Unchanged<Intended>> {
  const held = yield* currentLease(context, actor, jobId, token);
  const { job, request, now } = held;
  if (job.pool !== 'effect')
    throw new Refusal(
      403,
      'FACTORY-FORBIDDEN',
      `Job ${jobId} is of pool ${job.pool}; effects are performed by jobs of pool effect.`,
    );
  const packet = context.documents.packet(request.packet_digest);
  const kinds = effectKinds(packet);
  const target = effectTarget(packet, context.documents.declaration(request.declaration_digest), request.id);
  if (kinds[body.ordinal] !== body.kind || body.target !== target) {
    throw new Refusal(
      422,
      'FACTORY-EFFECT-UNPLANNED',
      `The packet's delivery has the effects ${kinds.join(', ')} on ${target}; "${body.kind}" as number ${body.ordinal} on ${body.target} is none of them.`,
    );
  }
  const key = digestOfValue({ request: request.id, kind: body.kind, ordinal: body.ordinal, target, tree: body.tree });
  const existing = yield* one(lockEffectByKey({ tenant: context.tenant, effect_key: key }));
  if (existing !== undefined) return yield* adopt(context, actor, held, existing);
  if (request.state !== 'running')
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `Request ${request.id} is ${request.state}: no new effect may begin.`,
    );
  const coverage = yield* coverageOf(context, request, pinnedGraph(context, request), body, target);
  const application = yield* one(readApplication({ tenant: context.tenant, application: request.application_id }));
  const decision = decide(context, application?.definitions_digest ?? null, actor, now, 'performEffect', {
    id: request.id,
    tenant: context.tenant,
    application: request.application_id,
    kind: body.kind,
    target,
    tier: coverage.tier,
    approvals: coverage.approvals,
    required: coverage.required,
    treeMatches: true,
    receiptValid: true,
    checked: coverage.checked,
  });
  if (!decision.allow) {
    if (coverage.approvals < coverage.required) throw stale('the policy now asks for more approvals.');
    throw forbidden(decision, 'performEffect', `the effect ${body.kind} of request ${request.id}`);
  }
  const scope = openScope(context, now, actor);
  scope.touched.add(request.id);
  const id = context.newId('effect', now);
  const commandId = `${id}:intend`;
  const decisionId = yield* recordDecision(context, decision, {
    actor,
    action: 'performEffect',
    resource: request.id,
    now,
    commandId,
  });
  if (coverage.approval !== null)
    yield* write(
      insertApprovalUse({ tenant_id: context.tenant, approval_id: coverage.approval, effect_key: key, used_at: now }),
    );
  const row: EffectRow = {
    id,
    tenant_id: context.tenant,
    request_id: request.id,
    job_id: job.id,
    epoch: job.lease_epoch,
    kind: body.kind,
    ordinal: body.ordinal,
    target,
    effect_key: key,
    state: effectMachine.initial,
    tree: body.tree as Digest,
    expected_before: body.expectedBefore,
    correlation_mark: `${request.id}/${body.ordinal}/${key.slice(7, 23)}`,
    act_until: actUntil(held),
    approval_id: coverage.approval,
    policy_decision_id: decisionId,
    rollback: body.rollback,
    observed: null,
    intended_at: now,
    started_at: null,
    ended_at: null,
    version: 1,
  };
  yield* write(insertEffect(row));
  return yield* commit(
    scope,
    {
      stream: job.application_id,
      commandId,
      action: 'effect.intended',
      subjects: { request: request.id, job: job.id, effect: id, approval: coverage.approval, decision: decisionId },
      digests: { tree: body.tree as Digest, policy: decision.policyDigest },
      values: { kind: body.kind, target, epoch: job.lease_epoch, expectedBefore: body.expectedBefore },
    },
    answerOf(row),
  );
}

/** Until when the effector may act: within its lease's attempt, and no longer than any effect should take. */
function actUntil({ job, now }: HeldLease): number {
  return Math.min(now + LIMITS.effect.actMs, job.timeout_at ?? now + LIMITS.effect.actMs);
}

/** An effect that an earlier attempt intended: this attempt takes it over, in the state it is in. */
function* adopt(
  context: PlaneContext,
  actor: Actor,
  held: HeldLease,
  { now: _now, ...existing }: EffectRow & { readonly now: number },
): Command<Intended | Unchanged<Intended>> {
  const { job, request, now } = held;
  if (existing.job_id === job.id && existing.epoch === job.lease_epoch)
    return unchanged<Intended>({ answer: answerOf(existing), outbox: [], touched: [] });
  const row: EffectRow = { ...existing, job_id: job.id, epoch: job.lease_epoch, act_until: actUntil(held) };
  yield* writeOne(updateEffect(row));
  const subjects = { request: request.id, job: job.id, effect: row.id };
  return yield* commit(
    openScope(context, now, actor),
    {
      stream: job.application_id,
      commandId: `${row.id}:adopt:${job.id}:${job.lease_epoch}`,
      action: 'effect.adopted',
      subjects,
      values: { state: row.state, epoch: job.lease_epoch },
    },
    answerOf(row),
  );
}
