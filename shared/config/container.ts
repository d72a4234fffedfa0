import { z } from 'zod';
import type { Pool } from '../domain/blueprint/schema.ts';
import { POOLS } from '../domain/blueprint/schema.ts';
import { POOLS_OF_ROLE } from '../jobs/protocol.ts';
import { hostName } from './azure-address.ts';
import { type Environment, readSettings, type SettingFault } from './read-settings.ts';

/** Roles that run in containers: those whose jobs may run a repository's or an agent's program. */
const CONTAINER_ROLES = ['station', 'verifier'] as const;
export type ContainerRole = (typeof CONTAINER_ROLES)[number];

/** What the container shell reads beside the settings of a worker. */
const settings = z.object({
  FACTORY_ROLE: z.enum(CONTAINER_ROLES),
  /** The pool this container works off: one of its role. */
  FACTORY_POOL: z.enum(POOLS),
  /** Where the hint lies that the container was started for: by identity, or on one machine by a connection string. None when neither is given. */
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace: hostName.optional(),
  FACTORY_SERVICE_BUS: z
    .string()
    .startsWith('Endpoint=', 'a Service Bus connection string (Endpoint=sb://…)')
    .optional(),
  AZURE_CLIENT_ID: z.string().optional(),
});

export type ContainerSettings = {
  readonly role: ContainerRole;
  readonly pool: Pool;
  readonly hints:
    | { readonly connectionString: string }
    | { readonly namespace: string; readonly clientId: string }
    | undefined;
};

/** The names of the settings, for documentation and templates. */
export const CONTAINER_SETTINGS = Object.keys(settings.shape) as readonly (keyof z.infer<typeof settings>)[];

/** @throws Error that lists every missing or wrong setting by name; it never repeats a value. */
export function readContainerSettings(environment: Environment): ContainerSettings {
  const data = readSettings('The container', settings, environment, together);
  const { FACTORY_SERVICE_BUS: connectionString, FACTORY_SERVICE_BUS__fullyQualifiedNamespace: namespace } = data;
  return {
    role: data.FACTORY_ROLE,
    pool: data.FACTORY_POOL,
    hints:
      connectionString !== undefined
        ? { connectionString }
        : namespace === undefined
          ? undefined
          : { namespace, clientId: data.AZURE_CLIENT_ID ?? '' },
  };
}

function* together(given: Environment): Iterable<SettingFault> {
  const { FACTORY_ROLE: role, FACTORY_POOL: pool } = given;
  const pools = CONTAINER_ROLES.flatMap((each) => (each === role ? [...POOLS_OF_ROLE[each]] : []));
  if (pool !== undefined && pools.length > 0 && !pools.some((each) => each === pool))
    yield ['FACTORY_POOL', `is none that the role ${role} may claim from: ${pools.join(', ')}`];
  const byIdentity = given['FACTORY_SERVICE_BUS__fullyQualifiedNamespace'] !== undefined;
  if (byIdentity && given['FACTORY_SERVICE_BUS'] !== undefined)
    yield [
      'FACTORY_SERVICE_BUS',
      'is given beside FACTORY_SERVICE_BUS__fullyQualifiedNamespace: one of the two says where hints lie',
    ];
  if (byIdentity && given['AZURE_CLIENT_ID'] === undefined)
    yield ['AZURE_CLIENT_ID', 'is not set, and the namespace is reached under that identity'];
}
