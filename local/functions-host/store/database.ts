import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** How long a start waits for a predecessor to let go of the data directory, in milliseconds. */
const lockWait = 3_000;

/**
 * What each version of the schema adds to the one before; a file is brought to the last when it is opened. A newer one is
 * refused, never guessed at.
 */
const versions = [
  `
  create table instances (
    id text primary key,
    execution_id text not null,
    name text not null,
    version text not null,
    status text not null,
    input text,
    output text,
    custom_status text,
    created_at integer not null,
    updated_at integer not null,
    finished_at integer
  );
  create index instances_by_creation on instances (created_at, id);
  create index instances_by_end on instances (finished_at) where finished_at is not null;
  create index instances_open on instances (id) where finished_at is null;

  create table turns (
    instance_id text not null,
    number integer not null,
    events text not null,
    primary key (instance_id, number)
  ) without rowid;

  create table inbox (
    seq integer primary key autoincrement,
    instance_id text not null,
    event text not null
  );
  create index inbox_by_instance on inbox (instance_id, seq);

  create table open_tasks (
    instance_id text not null,
    execution_id text not null,
    task_id integer not null,
    kind text not null,
    name text not null,
    input text,
    fire_at integer,
    primary key (instance_id, execution_id, task_id)
  ) without rowid;
`,
  `
  create table timers (
    name text primary key,
    last integer,
    next integer,
    updated_at integer not null
  ) without rowid;
`,
];

/**
 * Opens the state of a host in `directory`, made when absent. The file is locked for this process until it ends, however
 * it ends: the operating system lets go of it. Every commit reaches the disk before it returns (WAL, synchronous=FULL).
 * Throws when another process holds the directory, when a newer build wrote it, or when it is damaged, as far as SQLite
 * can tell: up to 1 GiB, its pages' structure is looked through first.
 */
export function openDatabase(directory: string): DatabaseSync {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, 'functions-host.sqlite');
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  // SQLite would take it for a new database.
  if (size > 0 && size < headerBytes) throw new Error(damaged(file, `it has ${size} bytes`));
  const database = new DatabaseSync(file, { timeout: lockWait });
  try {
    // Exclusive mode before WAL: no shared-memory file, and the first write below keeps the lock.
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full;');
    assertSound(database, file);
    database.exec('begin immediate');
    const found = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
    if (found > versions.length) {
      throw new Error(
        `${file} has schema ${found}, and this build knows ${versions.length}: a newer version wrote it. Start that version, or use another --data directory.`,
      );
    }
    for (const version of versions.slice(found)) database.exec(version);
    database.exec(`pragma user_version = ${versions.length}; commit`);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && /database is locked/.test(error.message)) {
      throw new Error(
        `The data directory ${directory} is in use by another functions host. End that one, or give this one a --data directory of its own.`,
      );
    }
    if (isDamage(error)) throw new Error(damaged(file, (error as Error).message), { cause: error });
    throw error;
  }
}

/** SQLite's primary result codes SQLITE_CORRUPT, SQLITE_FORMAT and SQLITE_NOTADB. */
const damageCodes = [11, 24, 26];
const quickCheckBytes = 1_073_741_824;
const headerBytes = 100;

const isDamage = (error: unknown): boolean =>
  damageCodes.includes(Number((error as { errcode?: unknown } | null)?.errcode) & 0xff);

const damaged = (file: string, what: string): string =>
  `The state of this host, ${file}, is damaged: ${what}. Put a copy from before in its place, or move the folder away to begin without the orchestrations in it.`;

function assertSound(database: DatabaseSync, file: string): void {
  const number = (name: string) => Number(database.prepare(`pragma ${name}`).get()?.[name] ?? 0);
  if (number('page_count') * number('page_size') > quickCheckBytes) return;
  const [found = ''] = Object.values(database.prepare('pragma quick_check(1)').get() ?? {}).map(String);
  if (found !== 'ok') throw new Error(damaged(file, found));
}
