import { type DefectClass, defectSignature } from '../domain/defect/defect.ts';
import { digestOfValue } from '../domain/digest.ts';
import type { Id, PrincipalId, RequestId } from '../domain/ids.ts';
import { LIMITS } from '../domain/limits.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { permit } from '../gates/policy-decision.ts';
import { requestResource } from '../gates/request-resource.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { readApplication } from '../store/applications/applications.ts';
import { type Command, one, rows, type Unchanged, unchanged, write } from '../store/command.ts';
import { defectsOfRequest, insertDefect } from '../store/defects/defects.ts';
import { lockRequest } from '../store/requests/lock.ts';

export type RecordedDefect = {
  readonly id: Id<'defect'>;
  readonly request: RequestId;
  readonly class: DefectClass;
  readonly signature: string;
};

/**
 * Records that a delivered change was at fault. The same class and words by the same person are the same defect: recorded, audited and counted once.
 * Refuses 403 by policy, 409 `FACTORY-WRONG-STATE` for a request that did not end as PR_READY, and 429 `FACTORY-DEFECTS-EXCEEDED` beyond
 * `LIMITS.defect.perRequest`.
 */
export function* recordDefect(
  context: PlaneContext,
  actor: Actor,
  id: RequestId,
  found: { readonly class: DefectClass; readonly summary: string },
): Command<Committed<RecordedDefect> | Unchanged<Committed<RecordedDefect>>> {
  const { tenant } = context;
  const row = yield* one(lockRequest({ tenant, request: id }));
  if (row === undefined) throw notFound(`Request ${id}`);
  const application = yield* one(readApplication({ tenant, application: row.application_id }));
  const resource = yield* requestResource(row);
  permit(context, application?.definitions_digest ?? null, actor, row.now, 'recordDefect', resource, `request ${id}`);
  if (row.terminal_state !== 'PR_READY')
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `Request ${id} delivered nothing that could be at fault: it is ${row.terminal_state ?? row.state}. Defects are recorded of requests that ended as PR_READY.`,
    );
  const content = digestOfValue(found);
  const limit = LIMITS.defect.perRequest;
  const known = yield* rows(defectsOfRequest({ tenant, request: id, after: null, limit }));
  const same = known.find((defect) => defect.principal_id === actor.principal && defect.content_digest === content);
  const told = (defect: Id<'defect'>): RecordedDefect => ({
    id: defect,
    request: id,
    class: found.class,
    signature: defectSignature(row.line, found.class),
  });
  if (same !== undefined) return unchanged({ answer: told(same.id), outbox: [], touched: [] });
  if (known.length >= limit)
    throw new Refusal(
      429,
      'FACTORY-DEFECTS-EXCEEDED',
      `Request ${id} has ${limit} defects recorded, as many as a request may. Submit a request that repairs them.`,
    );
  const answer = told(context.newId('defect', row.now));
  yield* write(
    insertDefect({
      id: answer.id,
      tenant_id: tenant,
      application_id: row.application_id,
      request_id: id,
      principal_id: actor.principal as PrincipalId,
      class: found.class,
      signature: answer.signature,
      summary: found.summary,
      content_digest: content,
      recorded_at: row.now,
    }),
  );
  const scope = openScope(context, row.now, actor);
  scope.touched.add(id);
  scope.facts.push({ kind: 'defect_escaped', signature: answer.signature, class: found.class });
  return yield* commit(
    scope,
    {
      stream: row.application_id,
      commandId: `${answer.id}:record`,
      action: 'request.defect',
      subjects: { request: id, defect: answer.id },
      digests: { defect: content },
      values: { class: found.class },
    },
    answer,
  );
}
