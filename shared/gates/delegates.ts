import type { TenantId } from '../domain/ids.ts';
import { delegationsAround } from '../store/access/delegations.ts';
import { type Command, rows } from '../store/command.ts';

export type Delegation = {
  readonly principal_id: string;
  readonly delegate_id: string;
  readonly ended_at: number | null;
};

/** Delegations with any of these principals on either side that were in force at some time after `since`. */
export function* delegationsOf(
  tenant: TenantId,
  principals: readonly string[],
  since: number,
): Command<readonly Delegation[]> {
  const asked = JSON.stringify([...new Set(principals)]);
  return yield* rows(delegationsAround({ tenant, principals: asked, since }));
}

/**
 * Who acts for one of these principals, or has one of them act for them, at some time after `since`. One step only: whom a delegate
 * delegates to in turn is not the principal's delegate.
 */
export function delegatesAmong(
  delegations: readonly Delegation[],
  principals: readonly string[],
  since: number,
): string[] {
  const found = new Set<string>();
  for (const { principal_id: principal, delegate_id: delegate, ended_at: ended } of delegations) {
    if (ended !== null && ended <= since) continue;
    if (principals.includes(principal)) found.add(delegate);
    if (principals.includes(delegate)) found.add(principal);
  }
  return [...found].sort();
}

/** As `delegatesAmong`, of what the store knows. */
export function* delegatesOf(tenant: TenantId, principals: readonly string[], since: number): Command<string[]> {
  return delegatesAmong(yield* delegationsOf(tenant, principals, since), principals, since);
}
