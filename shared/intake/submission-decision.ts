import type { Digest } from '../domain/digest.ts';
import type { RequestId } from '../domain/ids.ts';
import { notFound } from '../domain/refusal.ts';
import type { Action } from '../gates/policy/actions.ts';
import type { PolicyDecision } from '../gates/policy/engine.ts';
import { decide, forbidden, permit } from '../gates/policy-decision.ts';
import { requestResource } from '../gates/request-resource.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { type Command, one } from '../store/command.ts';
import { readRequest } from '../store/requests/read.ts';
import type { ApplicationRow } from '../store/schema/rows.ts';

/** The ended request that a submission follows, and what lets its caller follow it. */
export type Following = {
  readonly request: RequestId;
  readonly action: Extract<Action, 'retryRequest' | 'answerRequest'>;
  /** What is answered to its question. */
  readonly answer?: string;
};
export type SubmissionDecision = {
  readonly decision: PolicyDecision;
  readonly action: Action;
  readonly resource: string;
  readonly requestedBy: string;
};

/**
 * Decides whether a packet may be submitted, and in whose name. The same packet submitted once more stays the request of who asked for
 * it, whoever does it for them (an operator who retries what is stuck): their retry or answer is what must be permitted, and no rule may
 * forbid submitting. Any other packet is its sender's own. Refuses with 403, and with 404 a request that is not there.
 */
export function* decideSubmission(
  context: PlaneContext,
  actor: Actor,
  now: number,
  application: ApplicationRow,
  submission: { readonly packet: Digest; readonly following: Following | null },
): Command<SubmissionDecision> {
  const definitions = application.definitions_digest;
  const what = `application ${application.name}`;
  const here = { id: application.id, tenant: context.tenant };
  const { following } = submission;
  const earlier =
    following === null ? undefined : yield* one(readRequest({ tenant: context.tenant, request: following.request }));
  if (following !== null && earlier === undefined) throw notFound(`Request ${following.request}`);
  if (following === null || earlier?.packet_digest !== submission.packet) {
    const decision = permit(context, definitions, actor, now, 'submitRequest', here, what);
    return { decision, action: 'submitRequest', resource: application.id, requestedBy: actor.principal };
  }
  const { request, action } = following;
  const resource = yield* requestResource(earlier);
  const decision = permit(context, definitions, actor, now, action, resource, `request ${request}`);
  const submitting = decide(context, definitions, actor, now, 'submitRequest', here);
  if (!submitting.allow && (submitting.determining.length > 0 || submitting.errors.length > 0))
    throw forbidden(submitting, 'submitRequest', what);
  return { decision, action, resource: request, requestedBy: earlier.requested_by };
}
