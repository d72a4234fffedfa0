/** A statement waits this long for a lock and then ends with 1222, well before its own time limit, so that the command is run again. */
const LOCK_WAIT_MS = 5_000;

/** What the store itself says to a server, beside the statements of commands: when a connection is opened, and when the store looks whether the schema is its own. */
export const OWN_STATEMENTS = {
  'session.lockTimeout': `set lock_timeout ${LOCK_WAIT_MS}`,
  'schema.migrations': "select object_id('migrations', 'U') as id",
  'schema.applied': 'select number, name, breaking, digest from migrations order by number',
} as const;
