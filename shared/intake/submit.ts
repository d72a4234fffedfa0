import { spentWords } from '../domain/cost/budget.ts';
import { type Digest, digestOfValue } from '../domain/digest.ts';
import type { ApplicationId, PrincipalId, RequestId, SessionId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { transition } from '../domain/machine.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { requestMachine } from '../domain/request/machine.ts';
import { recordDecision } from '../gates/policy-decision.ts';
import { advance } from '../line/advance.ts';
import { spentBudget } from '../line/budget.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { nodeRows } from '../line/node-rows.ts';
import { type Committed, commit, openScope, tell } from '../line/scope.ts';
import { readApplication } from '../store/applications/applications.ts';
import { insertArtifactReferences } from '../store/artifacts/references.ts';
import { type Command, one, type Unchanged, unchanged, write } from '../store/command.ts';
import {
  findIdempotencyKey,
  insertIdempotencyKey,
  removeExpiredIdempotencyKey,
} from '../store/delivery/idempotency.ts';
import { insertRequestHoldouts } from '../store/holdouts/of-request.ts';
import { currentHoldouts } from '../store/holdouts/sets.ts';
import { insertNodes } from '../store/nodes/insert.ts';
import { databaseTime } from '../store/platform/database-time.ts';
import { openRequestsOfApplication } from '../store/requests/count-open.ts';
import { insertRequest } from '../store/requests/insert.ts';
import type { RequestRow } from '../store/schema/rows.ts';
import type { Database } from '../store/schema/tables.ts';
import { recordAnswer } from './answer-request.ts';
import { decideSubmission, type Following } from './submission-decision.ts';

export type Submission = {
  readonly session: SessionId | null;
  readonly application: ApplicationId;
  readonly packet: Digest;
  /** Declaration and definitions the packet was validated against; when the application's are others by now, the caller validates again. */
  readonly declaration: Digest;
  readonly definitions: Digest;
  readonly title: string;
  readonly line: string;
  readonly priority: number;
  readonly deadlineAt: number | null;
  /** The ended request that this one follows. */
  readonly following: Following | null;
  readonly traceparent: string | null;
  readonly idempotencyKey: string;
  readonly route: string;
};

export type Submitted = {
  readonly id: RequestId;
  readonly state: string;
  readonly packet: Digest;
  readonly run: number;
};

/**
 * Takes a validated packet as a request: its row, its nodes, the first advance, the policy decision, the audit event and the
 * orchestrator's start are one transaction. The same key with the same content gets the first answer, with another 409
 * `FACTORY-KEY-REUSED`. Refuses 403 by policy, 404 for an unknown application, 409 `FACTORY-DEFINITIONS-CHANGED`, 409 `FACTORY-BUDGET-EXHAUSTED`, 429 when too many are open.
 */
export function* submitRequest(
  context: PlaneContext,
  actor: Actor,
  input: Submission,
): Command<Committed<Submitted> | Unchanged<Committed<Submitted>>> {
  const { tenant } = context;
  const bodyHash = digestOfValue({
    session: input.session,
    application: input.application,
    packet: input.packet,
    retryOf: input.following?.request ?? null,
    ...(input.following?.answer === undefined ? {} : { answer: digestOfValue(input.following.answer) }),
  });
  const key = {
    tenant_id: tenant,
    principal_id: actor.principal as PrincipalId,
    route: input.route,
    idempotency_key: input.idempotencyKey,
  };
  const known = yield* one(findIdempotencyKey(key));
  if (known !== undefined) {
    if (known.body_hash !== bodyHash)
      throw new Refusal(
        409,
        'FACTORY-KEY-REUSED',
        `The idempotency key was used with other content. Use a new key for a new request; nothing was changed.`,
      );
    return unchanged({ answer: JSON.parse(known.answer) as Submitted, outbox: [], touched: [] });
  }
  const application = yield* one(readApplication({ tenant, application: input.application }));
  if (application === undefined) throw notFound(`Application ${input.application}`);
  if (application.declaration_digest !== input.declaration || application.definitions_digest !== input.definitions) {
    throw new Refusal(
      409,
      'FACTORY-DEFINITIONS-CHANGED',
      `The application's declaration or definitions changed while the packet was being checked. Submit it again.`,
    );
  }
  const now = yield* databaseTime();
  const { decision, action, resource, requestedBy } = yield* decideSubmission(context, actor, now, application, input);
  const open = (yield* one(openRequestsOfApplication({ tenant, application: application.id })))?.open ?? 0;
  if (open >= LIMITS.request.openPerApplication) {
    throw new Refusal(
      429,
      'FACTORY-TOO-MANY-OPEN',
      `Application ${application.name} has ${open} open requests; the limit is ${LIMITS.request.openPerApplication}. Wait until some have ended.`,
      { retryAfterSeconds: 60 },
    );
  }
  const spent = yield* spentBudget(context, application.id, now);
  if (spent !== undefined)
    throw new Refusal(
      409,
      'FACTORY-BUDGET-EXHAUSTED',
      `${spentWords(spent)} Nothing was started; submit it again then.`,
    );
  const line = context.documents.definitions(input.definitions).lines.get(input.line);
  if (line === undefined)
    throw new Refusal(
      422,
      'FACTORY-LINE-UNKNOWN',
      `The definitions installed on ${application.name} have no product line "${input.line}".`,
    );
  const scope = openScope(context, now, actor);
  const id = context.newId('request', now);
  const commandId = `${id}:submit`;
  const decisionId = yield* recordDecision(context, decision, { actor, action, resource, now, commandId });
  const row: RequestRow = {
    id,
    tenant_id: tenant,
    session_id: input.session,
    application_id: application.id,
    run: 1,
    state: transition(requestMachine, requestMachine.initial, 'begin'),
    terminal_state: null,
    nudged: 0,
    next_wake_at: null,
    orchestrator_seen_at: null,
    retry_of: input.following?.request ?? null,
    definitions_digest: input.definitions,
    line: input.line,
    line_digest: line.digest,
    packet_digest: input.packet,
    declaration_digest: input.declaration,
    policy_digest: decision.policyDigest,
    requested_by: requestedBy as PrincipalId,
    submitted_by: actor.principal as PrincipalId,
    policy_decision_id: decisionId,
    title: input.title.slice(0, 200),
    priority: input.priority,
    deadline_at: Math.min(input.deadlineAt ?? Number.MAX_SAFE_INTEGER, now + LIMITS.request.overallMs),
    cancel_requested_at: null,
    cancelled_by: null,
    cancel_reason: null,
    conclusion: null,
    evidence_digest: null,
    traceparent: input.traceparent,
    version: 1,
    created_at: now,
    started_at: now,
    finished_at: null,
  };
  // The key's rank in the lock order comes before the request's.
  const answer: Submitted = { id, state: row.state, packet: input.packet, run: 1 };
  yield* write(removeExpiredIdempotencyKey(key));
  yield* write(
    insertIdempotencyKey({
      ...key,
      body_hash: bodyHash,
      status: 202,
      answer: JSON.stringify(answer),
      expires_at: now + LIMITS.http.idempotencyAnswerMs,
    }),
  );
  const { following } = input;
  const tellAnswer =
    following?.answer === undefined
      ? undefined
      : yield* recordAnswer(context, actor, following.request, following.answer);
  yield* write(insertRequest(row));
  yield* write(insertNodes(nodeRows(scope, row, line.graph)));
  yield* write(insertArtifactReferences([packetReference(row, now)]));
  const hidden = yield* one(currentHoldouts({ tenant, application: application.id }));
  if (hidden !== undefined)
    yield* write(insertRequestHoldouts({ tenant_id: tenant, request_id: id, digest: hidden.digest }));
  const { wakeAt } = yield* advance(scope, { ...row, now }, { orchestratorKnows: true });
  tell(scope, id, { kind: 'start', orchestrator: 'request', id, run: 1, wakeAt });
  const committed = yield* commit(
    scope,
    {
      stream: application.id,
      commandId,
      action: 'request.submitted',
      subjects: {
        request: id,
        session: input.session,
        retryOf: row.retry_of,
        requestedBy: requestedBy === actor.principal ? null : requestedBy,
        decision: decisionId,
      },
      digests: {
        packet: input.packet,
        declaration: input.declaration,
        holdouts: hidden?.digest ?? null,
        definitions: input.definitions,
        line: line.digest,
        policy: decision.policyDigest,
      },
      values: { line: input.line },
    },
    answer,
  );
  if (tellAnswer !== undefined) yield* tellAnswer();
  return committed;
}

/** What keeps the packet's artifact; who may read it follows from it. */
const packetReference = (row: RequestRow, now: number): Database['artifact_references'] => ({
  tenant_id: row.tenant_id,
  digest: row.packet_digest,
  kind: 'packet',
  owner_type: 'request',
  owner_id: row.id,
  name: 'packet',
  created_at: now,
});
