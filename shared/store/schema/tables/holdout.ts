import { digest, id, nullable, time } from '../column.ts';
import { table } from '../table.ts';

/** The hidden scenarios that an application had, each set by the digest of its artifact. One that has not ended is the current one. */
export const holdoutSets = table(
  'holdout_sets',
  {
    tenant_id: id('tenant'),
    digest: digest(),
    application_id: id('application'),
    /** Null where the plane took them out of a declaration of a former release. */
    submitted_by: nullable(id('principal')),
    submitted_at: time(),
    ended_at: nullable(time()),
  },
  {
    primaryKey: ['tenant_id', 'digest'],
    indexes: [
      {
        name: 'ux_holdout_sets_current',
        columns: ['tenant_id', 'application_id'],
        unique: true,
        where: 'ended_at is null',
        serves: 'an application has one set at a time',
      },
      {
        name: 'ix_holdout_sets_application',
        columns: ['tenant_id', 'application_id', 'submitted_at'],
        serves: ['holdouts.ofApplication'],
      },
    ],
  },
);

/** The set that was current when a request was submitted: the one its change is judged by. */
export const requestHoldouts = table(
  'request_holdouts',
  { tenant_id: id('tenant'), request_id: id('request'), digest: digest() },
  { primaryKey: ['tenant_id', 'request_id'] },
);

/** Declarations that were looked at for scenarios in them, and what took the place of those that had some. */
export const declarationReplacements = table(
  'declaration_replacements',
  { tenant_id: id('tenant'), digest: digest(), replaced_by: nullable(digest()), looked_at: time() },
  {
    primaryKey: ['tenant_id', 'digest'],
    indexes: [
      {
        name: 'ix_declaration_replacements_by',
        columns: ['tenant_id', 'replaced_by'],
        serves: ['declarations.replacedBy'],
      },
    ],
  },
);
