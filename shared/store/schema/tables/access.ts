import { id, name, nullable, oneOf, text, time } from '../column.ts';
import { table } from '../table.ts';

export const PRINCIPAL_KINDS = ['user', 'workload', 'local'] as const;

export const tenants = table(
  'tenants',
  { tenant_id: id('tenant'), name: name(100), entra_tid: nullable(name(64)), created_at: time() },
  {
    primaryKey: ['tenant_id'],
    indexes: [{ name: 'ux_tenants_name', columns: ['name'], unique: true, serves: 'a tenant has one name on a plane' }],
  },
);

/** Someone or something that calls: known by the issuer's tenant and object id (`tid` + `oid`), never by a display name. */
export const principals = table(
  'principals',
  {
    id: id('principal'),
    tenant_id: id('tenant'),
    tid: name(64),
    oid: name(128),
    kind: oneOf(PRINCIPAL_KINDS),
    display: text(200),
    created_at: time(),
  },
  { indexes: [{ name: 'ux_principals_subject', columns: ['tid', 'oid'], unique: true, serves: ['principals.find'] }] },
);

/** `application_key` is the application's id, or '' for a role that holds in the whole tenant: part of a key, it can't be null. */
export const roleAssignments = table(
  'role_assignments',
  {
    tenant_id: id('tenant'),
    principal_id: id('principal'),
    role: name(40),
    application_key: name(40),
    assigned_at: time(),
    assigned_by: nullable(id('principal')),
  },
  { primaryKey: ['tenant_id', 'principal_id', 'role', 'application_key'], references: { principal_id: 'principals' } },
);

/**
 * `delegate_id` acts, or has acted, for `principal_id`: whoever is on either side of such a row never approves what the other asked for or
 * made. A row that has ended still counts for what was asked before, so that ending it just in time opens nothing.
 */
export const delegations = table(
  'delegations',
  {
    tenant_id: id('tenant'),
    principal_id: id('principal'),
    delegate_id: id('principal'),
    started_at: time(),
    ended_at: nullable(time()),
    recorded_by: nullable(id('principal')),
  },
  {
    primaryKey: ['tenant_id', 'principal_id', 'delegate_id'],
    indexes: [
      { name: 'ix_delegations_delegate', columns: ['tenant_id', 'delegate_id'], serves: ['delegations.around'] },
    ],
    references: { principal_id: 'principals', delegate_id: 'principals' },
  },
);
