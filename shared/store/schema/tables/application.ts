import { digest, id, int, json, name, nullable, text, time } from '../column.ts';
import { table } from '../table.ts';

export const applications = table(
  'applications',
  {
    id: id('application'),
    tenant_id: id('tenant'),
    name: name(100),
    declaration_digest: digest(),
    /** The installed definitions bundle, its policy set, and `{line: digest}` of the lines it offers. */
    definitions_digest: nullable(digest()),
    policy_digest: nullable(digest()),
    installed_line_digests: json(),
    version: int(),
    created_at: time(),
    updated_at: time(),
  },
  {
    indexes: [
      {
        name: 'ux_applications_name',
        columns: ['tenant_id', 'name'],
        unique: true,
        serves: ['applications.byName', 'applications.list'],
      },
    ],
  },
);

export const repositories = table(
  'repositories',
  {
    id: id('repository'),
    tenant_id: id('tenant'),
    application_id: id('application'),
    name: name(100),
    code_host: name(32),
    location: text(2_048),
    default_branch: text(200),
  },
  {
    indexes: [
      {
        name: 'ux_repositories_name',
        columns: ['application_id', 'name'],
        unique: true,
        serves: ['repositories.ofApplication'],
      },
    ],
    references: { application_id: 'applications' },
  },
);
