import type { Digest } from '../domain/digest.ts';
import type { ApplicationId, PrincipalId } from '../domain/ids.ts';
import type { RiskTier } from '../domain/risk/tier.ts';
import type { Actor, PlaneContext } from '../line/context.ts';
import { readPrincipal } from '../store/access/principals.ts';
import { rolesOf } from '../store/access/roles.ts';
import { approvalDecisionsOf } from '../store/approvals/read.ts';
import { type Command, one, rows } from '../store/command.ts';
import type { ApprovalRow, RequestRow } from '../store/schema/rows.ts';
import { kinship } from './approval-kinship.ts';
import type { ConfigurationChange } from './declaration-change.ts';
import { type ResourceOf, ROLES, type Role } from './policy/actions.ts';
import { decide, rolesAt } from './policy-decision.ts';

/** What an approval is asked about in: its request or the change of configuration, and the rules that hold on its application now. */
export type ApprovalPlace = {
  readonly application: ApplicationId;
  readonly definitions: Digest | null;
  readonly request: RequestRow | undefined;
  readonly change: ConfigurationChange | undefined;
};

/** Who approved and still may, and of the others why not, in words. */
export type StandingApprovals = { readonly standing: readonly PrincipalId[]; readonly fallen: readonly string[] };

/** The question that policy is asked about whoever decides on an approval, as things are now. */
export function* approvalResource(
  { tenant }: PlaneContext,
  approval: ApprovalRow,
  { application, request, change }: ApprovalPlace,
): Command<ResourceOf<'decideApproval'>> {
  return {
    id: approval.id,
    tenant,
    application,
    subject: approval.type,
    tier: (approval.tier ?? 'medium') as RiskTier,
    requestedBy: request?.requested_by ?? change?.requested_by ?? 'unknown',
    ...(yield* kinship(request, change)),
  };
}

/**
 * Asks again, right before an approval is used, whether each person who gave it may give it now: under the current policy, with the roles they hold now, and with
 * what has become of their kinship to the request since. That they had just proved who they are was looked at when they decided, and is not asked again.
 */
export function* standingApprovals(
  context: PlaneContext,
  approval: ApprovalRow,
  place: ApprovalPlace,
  now: number,
): Command<StandingApprovals> {
  const { tenant } = context;
  const standing: PrincipalId[] = [];
  const fallen: string[] = [];
  const resource = yield* approvalResource(context, approval, place);
  for (const given of yield* rows(approvalDecisionsOf({ tenant, approval: approval.id }))) {
    if (given.decision !== 'approve') continue;
    const actor = yield* actorNow(context, given.principal_id, now);
    if (actor === undefined) {
      fallen.push(`${given.principal_id}, who approved, is not known any more`);
      continue;
    }
    const decision = decide(context, place.definitions, actor, now, 'decideApproval', resource);
    if (!decision.allow)
      fallen.push(
        `${actor.name}, who approved, may not any more: ${decision.reasons.join(' ') || 'no rule permits it with the roles they hold now.'}`,
      );
    else if (approval.role !== null && !rolesAt(actor, place.application).some((role) => role === approval.role))
      fallen.push(`${actor.name}, who approved, does not hold the role ${approval.role} any more.`);
    else standing.push(given.principal_id);
  }
  return { standing, fallen };
}

/** A person with the roles they hold now. */
function* actorNow({ tenant }: PlaneContext, principal: PrincipalId, now: number): Command<Actor | undefined> {
  const known = yield* one(readPrincipal({ tenant, principal }));
  if (known === undefined) return undefined;
  const roles: Role[] = [];
  const applicationRoles = new Map<string, Role[]>();
  for (const { role, application_key: at } of yield* rows(rolesOf({ tenant, principal }))) {
    const held = ROLES.find((each) => each === role);
    if (held === undefined) continue;
    if (at === '') roles.push(held);
    else applicationRoles.set(at, [...(applicationRoles.get(at) ?? []), held]);
  }
  const kind = known.kind === 'workload' ? 'Worker' : 'User';
  return { principal, kind, name: known.display, roles, applicationRoles, authenticatedAt: now };
}
