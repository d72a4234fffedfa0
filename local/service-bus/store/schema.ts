import type { DatabaseSync } from 'node:sqlite';

/** Raised by one with each change of the tables; a file from a newer broker is refused. */
const SCHEMA_VERSION = 1;

/** "SBUS": tells `file` and the reader of a stray database what it is. */
const APPLICATION_ID = 0x53425553;

/** `autoincrement` remembers the highest sequence number ever used, so that none is handed out twice after a restart. */
const TABLES = `
create table queues (id integer primary key, name text not null unique) strict;
create table messages (
  sequence_number integer primary key autoincrement,
  queue_id integer not null references queues (id),
  enqueued_at integer not null,
  expires_at integer,
  delivery_count integer not null default 0,
  locked integer not null default 0,
  dead_letter_source text,
  size integer not null,
  content blob not null
) strict;
create index messages_by_queue on messages (queue_id, sequence_number);
`;

/** Creates the tables in a new file; throws when the file was written by a newer broker or by something else. */
export function prepareSchema(database: DatabaseSync, file: string): void {
  const version = readPragma(database, 'user_version');
  if (version === 0) {
    database.exec(
      `begin; ${TABLES} pragma application_id = ${APPLICATION_ID}; pragma user_version = ${SCHEMA_VERSION}; commit;`,
    );
    return;
  }
  if (readPragma(database, 'application_id') !== APPLICATION_ID) {
    throw new Error(`The file ${file} is a database of another program. Give the broker a data directory of its own.`);
  }
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `The file ${file} has schema version ${version}; this broker knows versions up to ${SCHEMA_VERSION}. Start a newer broker, or use another data directory.`,
    );
  }
}

function readPragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`pragma ${name}`).get()?.[name] ?? 0);
}
