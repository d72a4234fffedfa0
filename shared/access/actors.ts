import type { TenantId } from '../domain/ids.ts';
import { ROLES, type Role } from '../gates/policy/actions.ts';
import type { Actor } from '../line/context.ts';
import { findPrincipal } from '../store/access/principals.ts';
import { rolesOf } from '../store/access/roles.ts';
import { one, rows } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import type { Claims } from './claims.ts';
import { Unauthenticated } from './unauthenticated.ts';

export type Actors = {
  /**
   * The actor a token speaks of: a principal that SQL knows (the caller allow-list), with the roles that SQL gives, never the
   * token's. Throws `Unauthenticated` for anybody else.
   */
  actorOf(claims: Claims): Promise<Actor>;
  /** Forgets everybody: a role or a principal was changed. */
  invalidate(): void;
};

/** A role withdrawn by another process holds at most this long here. */
const KEPT_MS = 5_000;
const KEPT = 10_000;

type Known = Omit<Actor, 'authenticatedAt'> & { readonly until: number };

export function createActors(parts: {
  readonly store: Store;
  readonly tenant: TenantId;
  readonly now?: () => number;
}): Actors {
  const { store, tenant, now = Date.now } = parts;
  const cache = new Map<string, Known>();

  async function look(claims: Claims): Promise<Known> {
    return await store.read('access.actor', function* () {
      const principal = yield* one(findPrincipal({ tid: claims.tid, oid: claims.oid }));
      if (principal === undefined || principal.tenant_id !== tenant) throw new Unauthenticated('unknown_principal');
      const worker = principal.kind === 'workload';
      // An application's token can't speak for a person, nor a person's for a worker.
      if (worker !== (claims.grant === 'application')) throw new Unauthenticated('grant_of_other_kind');
      const assigned = yield* rows(rolesOf({ tenant, principal: principal.id }));
      const applicationRoles = new Map<string, Role[]>();
      const roles: Role[] = [];
      for (const { role: name, application_key: application } of assigned) {
        const role = ROLES.find((known) => known === name);
        if (role === undefined) continue;
        if (application === '') roles.push(role);
        else applicationRoles.set(application, [...(applicationRoles.get(application) ?? []), role]);
      }
      return {
        principal: principal.id,
        kind: worker ? ('Worker' as const) : ('User' as const),
        name: principal.display,
        roles,
        ...(applicationRoles.size > 0 ? { applicationRoles } : {}),
        until: now() + KEPT_MS,
      };
    });
  }

  return {
    async actorOf(claims) {
      const key = `${claims.tid}\n${claims.oid}\n${claims.grant}`;
      let known = cache.get(key);
      if (known === undefined || known.until <= now()) {
        known = await look(claims);
        cache.delete(key);
        cache.set(key, known);
        for (const oldest of cache.keys()) {
          if (cache.size <= KEPT) break;
          cache.delete(oldest);
        }
      }
      const { until: _until, ...actor } = known;
      return { ...actor, authenticatedAt: claims.authenticatedAt };
    },
    invalidate: () => cache.clear(),
  };
}
