import { z } from 'zod';
import { databaseName, hostName, identityClientId } from './azure-address.ts';
import { type Environment, readSettings } from './read-settings.ts';

/** What the migration job reads. */
const settings = z.object({
  FACTORY_SQL_SERVER: hostName,
  FACTORY_SQL_DATABASE: databaseName,
  /** The identity of the migrator: a member of the SQL administrators. */
  AZURE_CLIENT_ID: identityClientId,
  /** The identity of control, which gets a user of the database: its name, and its client id, which is that user's SID. */
  FACTORY_SQL_APPLICATION_NAME: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, 'the name of an identity: letters, digits, _ and -'),
  FACTORY_SQL_APPLICATION_CLIENT: identityClientId,
});

export type MigrationSettings = {
  readonly server: string;
  readonly database: string;
  readonly clientId: string;
  readonly application: { readonly name: string; readonly clientId: string };
};

/** The names of the settings, for documentation and templates. */
export const MIGRATION_SETTINGS = Object.keys(settings.shape) as readonly (keyof z.infer<typeof settings>)[];

/** @throws Error that lists every missing or wrong setting by name; it never repeats a value. */
export function readMigrationSettings(environment: Environment): MigrationSettings {
  const data = readSettings('The migration', settings, environment);
  return {
    server: data.FACTORY_SQL_SERVER,
    database: data.FACTORY_SQL_DATABASE,
    clientId: data.AZURE_CLIENT_ID,
    application: { name: data.FACTORY_SQL_APPLICATION_NAME, clientId: data.FACTORY_SQL_APPLICATION_CLIENT },
  };
}
