import type { Digest } from '../domain/digest.ts';
import type { Id, PrincipalId } from '../domain/ids.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { insertPolicyDecision } from '../store/approvals/policy-decisions.ts';
import { type Command, write } from '../store/command.ts';
import {
  type Action,
  applicationOf,
  type Circumstances,
  type PolicyPrincipal,
  type ResourceOf,
} from './policy/actions.ts';
import type { PolicyDecision } from './policy/engine.ts';

/** How recent an authentication must be to count as fresh. */
export const FRESH_MS = 10 * 60_000;
/** How far ahead another clock may be. */
const SKEW_MS = 60_000;

export const isFresh = (actor: Actor, now: number): boolean =>
  now - actor.authenticatedAt <= FRESH_MS && actor.authenticatedAt <= now + SKEW_MS;

/** The roles that count for an application: those of the whole tenant, and those given for this one. */
export function rolesAt(actor: Actor, application: string | undefined): Actor['roles'] {
  const here = application === undefined ? undefined : actor.applicationRoles?.get(application);
  return here === undefined ? actor.roles : [...new Set([...actor.roles, ...here])];
}

function policyPrincipal(context: PlaneContext, actor: Actor, application: string | undefined): PolicyPrincipal {
  return { kind: actor.kind, id: actor.principal, tenant: context.tenant, roles: rolesAt(actor, application) };
}

/** Decides under the definitions current for an application (or the baseline where none are installed), without recording. */
export function decide<A extends Action>(
  context: PlaneContext,
  definitions: Digest | null,
  actor: Actor,
  now: number,
  action: A,
  resource: ResourceOf<A>,
  circumstances: Omit<Circumstances, 'freshAuthentication'> = {},
): PolicyDecision {
  const engine = context.documents.definitions(definitions ?? context.baseline).policy;
  return engine.decide({
    principal: policyPrincipal(context, actor, applicationOf(action, resource)),
    action,
    resource,
    context: { freshAuthentication: isFresh(actor, now), ...circumstances },
  });
}

/** As `decide`, refusing with 404 where the caller may not even know of the resource, else with 403 `FACTORY-FORBIDDEN` and the rules' reasons. */
export function permit<A extends Action>(
  context: PlaneContext,
  definitions: Digest | null,
  actor: Actor,
  now: number,
  action: A,
  resource: ResourceOf<A>,
  what: string,
  circumstances: Omit<Circumstances, 'freshAuthentication'> = {},
): PolicyDecision {
  const decision = decide(context, definitions, actor, now, action, resource, circumstances);
  if (decision.allow) return decision;
  if (action.startsWith('read')) throw notFound(what);
  throw forbidden(decision, action, what);
}

export function forbidden(decision: PolicyDecision, action: string, what: string): Refusal {
  const why =
    decision.reasons.length > 0
      ? decision.reasons.join(' ')
      : decision.errors.length > 0
        ? 'The policy could not be evaluated, which denies.'
        : 'No rule permits it.';
  return new Refusal(
    403,
    'FACTORY-FORBIDDEN',
    `Policy refuses "${action}" on ${what}: ${why} Ask someone whose role permits it.`,
  );
}

/** Writes a decision where it guards a change; answers its id. */
export function* recordDecision(
  context: PlaneContext,
  decision: PolicyDecision,
  at: { actor: Actor; action: Action; resource: string; now: number; commandId: string },
): Command<Id<'policyDecision'>> {
  const id = context.newId('policyDecision', at.now);
  yield* write(
    insertPolicyDecision({
      id,
      tenant_id: context.tenant,
      action: at.action,
      principal_id: at.actor.principal as PrincipalId,
      resource: at.resource,
      allowed: decision.allow ? 1 : 0,
      policy_digest: decision.policyDigest,
      determining: JSON.stringify(decision.determining),
      errors: JSON.stringify(decision.errors.slice(0, 20)),
      command_id: at.commandId.slice(0, 200),
      at: at.now,
    }),
  );
  return id;
}
