import { digestOfValue } from '../domain/digest.ts';
import type { PrincipalId, RequestId } from '../domain/ids.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { permit } from '../gates/policy-decision.ts';
import { requestResource } from '../gates/request-resource.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Committed, commit, openScope } from '../line/scope.ts';
import { readApplication } from '../store/applications/applications.ts';
import { type Command, one, rows, type Unchanged, unchanged, write } from '../store/command.ts';
import { insertRequestAnswer, requestAnswersOf } from '../store/requests/answers.ts';
import { lockRequest } from '../store/requests/lock.ts';

export type Answered = { readonly request: RequestId; readonly ordinal: number };

/**
 * Records what a person answered to a request's question. Only a request that ended as ESCALATE has one: any other is refused
 * with 409 `FACTORY-WRONG-STATE`. The same answer by the same person again is answered as recorded.
 */
export function* recordAnswer(
  context: PlaneContext,
  actor: Actor,
  id: RequestId,
  answer: string,
): Command<Committed<Answered> | Unchanged<Committed<Answered>>> {
  const { tenant } = context;
  const row = yield* one(lockRequest({ tenant, request: id }));
  if (row === undefined) throw notFound(`Request ${id}`);
  const application = yield* one(readApplication({ tenant, application: row.application_id }));
  const resource = yield* requestResource(row);
  permit(context, application?.definitions_digest ?? null, actor, row.now, 'answerRequest', resource, `request ${id}`);
  if (row.terminal_state !== 'ESCALATE')
    throw new Refusal(
      409,
      'FACTORY-WRONG-STATE',
      `Request ${id} asks nothing: it is ${row.terminal_state ?? row.state}. Only one that ended as ESCALATE takes an answer.`,
    );
  const answers = yield* rows(requestAnswersOf({ tenant, request: id }));
  const same = answers.find((given) => given.principal_id === actor.principal && given.answer === answer);
  if (same !== undefined) return unchanged({ answer: { request: id, ordinal: same.ordinal }, outbox: [], touched: [] });
  const ordinal = answers.length + 1;
  yield* write(
    insertRequestAnswer({
      tenant_id: tenant,
      request_id: id,
      ordinal,
      principal_id: actor.principal as PrincipalId,
      answer,
      at: row.now,
    }),
  );
  return yield* commit(
    openScope(context, row.now, actor),
    {
      stream: row.application_id,
      commandId: `${id}:answer:${ordinal}`,
      action: 'request.answered',
      subjects: { request: id },
      digests: { answer: digestOfValue(answer) },
      values: { ordinal },
    },
    { request: id, ordinal },
  );
}
