import { appendAudit } from '../audit/append.ts';
import { digestOfValue } from '../domain/digest.ts';
import type { PrincipalId, RequestId } from '../domain/ids.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { permit } from '../gates/policy-decision.ts';
import { requestResource } from '../gates/request-resource.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { readApplication } from '../store/applications/applications.ts';
import { type Command, one, rows, write } from '../store/command.ts';
import { insertRequestAnswer, requestAnswersOf } from '../store/requests/answers.ts';
import { lockRequest } from '../store/requests/lock.ts';

/** Tells the audit of an answer: the last part of the transaction, since the audit head is the last lock. */
export type TellAnswer = () => Command<void>;

/**
 * Records what a person answered to a request's question, as part of the transaction that submits the request that follows it: an answer
 * to a packet that is refused is not kept. Only a request that ended as ESCALATE has a question: any other is refused with 409
 * `FACTORY-WRONG-STATE`. The same answer by the same person again is not recorded twice.
 */
export function* recordAnswer(
  context: PlaneContext,
  actor: Actor,
  id: RequestId,
  answer: string,
): Command<TellAnswer | undefined> {
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
  if (answers.some((given) => given.principal_id === actor.principal && given.answer === answer)) return undefined;
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
  return function* () {
    yield* appendAudit({
      tenantId: tenant,
      stream: row.application_id,
      commandId: `${id}:answer:${ordinal}`,
      at: row.now,
      actor: actor.principal,
      action: 'request.answered',
      subjects: { request: id },
      digests: { answer: digestOfValue(answer) },
      changes: { ordinal },
      steps: [],
    });
  };
}
