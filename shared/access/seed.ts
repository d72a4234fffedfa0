import { newId, type TenantId } from '../domain/ids.ts';
import { findPrincipal, insertPrincipalIfAbsent } from '../store/access/principals.ts';
import { assignRole } from '../store/access/roles.ts';
import { insertTenantIfAbsent, tenantByName } from '../store/access/tenants.ts';
import { one, unchanged, write } from '../store/command.ts';
import type { Store } from '../store/store.ts';
import type { LocalClient } from './local/issuer-file.ts';

/** The tenant of this name, made when it is new. */
export async function ensureTenant(store: Store, name: string, entraTenant: string | null): Promise<TenantId> {
  const at = Date.now();
  return await store.run('access.tenant', function* () {
    const known = yield* one(tenantByName({ name }));
    if (known !== undefined) return unchanged(known.tenant_id);
    const tenant = newId('tenant', at);
    yield* write(insertTenantIfAbsent({ tenant_id: tenant, name, entra_tid: entraTenant, created_at: at }));
    return tenant;
  });
}

/** An identity as the issuer and the store know it. */
export type SeededIdentity = Pick<LocalClient, 'oid' | 'name' | 'kind' | 'roles'>;

/** Makes principals of identities of the issuer's tenant `tid` and gives them their roles; what SQL says already is left as it is. */
export async function seedIdentities(
  store: Store,
  tenant: TenantId,
  tid: string,
  identities: readonly SeededIdentity[],
): Promise<void> {
  const at = Date.now();
  await store.run('access.seed', function* () {
    let changed = 0;
    for (const identity of identities) {
      const subject = { tid, oid: identity.oid };
      const isNew = yield* write(
        insertPrincipalIfAbsent({
          id: newId('principal', at),
          tenant_id: tenant,
          ...subject,
          kind: identity.kind,
          display: identity.name,
          created_at: at,
        }),
      );
      if (isNew === 0) continue;
      changed += 1;
      const principal = yield* one(findPrincipal(subject));
      if (principal === undefined)
        throw new Error(`the principal of the identity ${identity.name} was written and is not there`);
      for (const role of identity.roles)
        yield* write(
          assignRole({
            tenant_id: tenant,
            principal_id: principal.id,
            role,
            application_key: '',
            assigned_at: at,
            assigned_by: null,
          }),
        );
    }
    return changed > 0 ? undefined : unchanged(undefined);
  });
}
