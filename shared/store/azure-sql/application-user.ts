import type { SqlSession } from './session.ts';

export type ApplicationIdentity = {
  /** Name of the managed identity; the user's name in the database. */
  readonly name: string;
  readonly clientId: string;
};

/** What control may do, as a role of the database: rows, and no DDL. */
const ROLE = 'factory_control';
/** Only ever added to: what was recorded can't be unsaid by the plane that recorded it. */
const APPEND_ONLY = ['audit_events', 'audit_anchors'];
/** Read at the start, written by the migration alone. */
const READ_ONLY = ['migrations'];

/**
 * The batches that let an identity into the database, in order: a contained user whose SID is the client id, so that the server need not look anything up in the
 * directory, and one role with its rights. Each may be run again. A user left by an identity of the same name that was deleted and made anew is replaced.
 */
export function applicationUserStatements({ name, clientId }: ApplicationIdentity): readonly string[] {
  const sid = sidOf(clientId);
  const [user, text] = [`[${name.replaceAll(']', ']]')}]`, `N'${name.replaceAll("'", "''")}'`];
  return [
    `if exists (select 1 from sys.database_principals where name = ${text} and sid <> ${sid}) drop user ${user}`,
    `if not exists (select 1 from sys.database_principals where name = ${text}) create user ${user} with sid = ${sid}, type = E`,
    `if database_principal_id(N'${ROLE}') is null create role ${ROLE}`,
    `grant select, insert, update, delete on schema::dbo to ${ROLE}`,
    ...APPEND_ONLY.map((table) => `deny update, delete on dbo.${table} to ${ROLE}`),
    ...READ_ONLY.map((table) => `deny insert, update, delete on dbo.${table} to ${ROLE}`),
    `if is_rolemember(N'${ROLE}', ${text}) = 0 alter role ${ROLE} add member ${user}`,
  ];
}

/** Lets control's identity into the database with the rights it needs, in one transaction. For the migrator identity. */
export async function admitApplication(session: SqlSession, application: ApplicationIdentity): Promise<void> {
  await session.begin();
  try {
    for (const statement of applicationUserStatements(application)) await session.batch(statement);
    await session.commit();
  } catch (error) {
    await session.rollback().catch(() => session.close());
    throw error;
  }
}

/** A client id as the server keeps it: 16 bytes, the first three groups of the GUID little-endian. */
function sidOf(clientId: string): string {
  const bytes = Buffer.from(clientId.replaceAll('-', ''), 'hex');
  if (bytes.byteLength !== 16) throw new Error('the client id of the application is not a GUID');
  const mixed = [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)].map((part) =>
    Buffer.from(part).reverse(),
  );
  return `0x${Buffer.concat([...mixed, bytes.subarray(8)]).toString('hex')}`;
}
