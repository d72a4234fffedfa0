import { installationMachine } from '../../../domain/installation/machine.ts';
import { digest, flag, id, int, json, name, nullable, stateOf, text, time } from '../column.ts';
import { table } from '../table.ts';

/** A published definitions bundle; the bytes are an artifact. */
export const definitions = table(
  'definitions',
  {
    tenant_id: id('tenant'),
    digest: digest(),
    version: name(64),
    policy_digest: digest(),
    line_digests: json(),
    installed_by: id('principal'),
    created_at: time(),
  },
  { primaryKey: ['tenant_id', 'digest'] },
);

export const installations = table(
  'installations',
  {
    id: id('installation'),
    tenant_id: id('tenant'),
    application_id: id('application'),
    definitions_digest: digest(),
    plan_digest: digest(),
    policy_digest: digest(),
    state: stateOf(installationMachine),
    requested_by: id('principal'),
    run: int(),
    nudged: flag(),
    next_wake_at: nullable(time()),
    failure: nullable(text(2_000)),
    created_at: time(),
    finished_at: nullable(time()),
    version: int(),
  },
  {
    indexes: [
      {
        name: 'ix_installations_application',
        columns: ['tenant_id', 'application_id', 'id'],
        serves: ['installations.list', 'installations.current'],
      },
      {
        name: 'ix_installations_overdue',
        columns: ['next_wake_at'],
        where: 'next_wake_at is not null',
        serves: ['platform.overdueInstallations'],
      },
      {
        name: 'ix_installations_applied',
        columns: ['tenant_id', 'application_id'],
        where: `state in ('applied', 'drifted')`,
        serves: ['platform.driftedApplications'],
      },
    ],
    references: { application_id: 'applications' },
  },
);

export const installPlans = table(
  'install_plans',
  {
    tenant_id: id('tenant'),
    application_id: id('application'),
    digest: digest(),
    from_digest: nullable(digest()),
    to_digest: digest(),
    created_at: time(),
  },
  { primaryKey: ['application_id', 'digest'] },
);
