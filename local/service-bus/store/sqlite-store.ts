import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { BrokerError } from '../core/broker-error.ts';
import type { Change, MessageStore, SavedMessage, Written } from '../core/message-store.ts';
import { createContentCache } from './content-cache.ts';
import { createGroupCommit } from './group-commit.ts';
import { prepareSchema } from './schema.ts';
import { prepareStatements } from './statements.ts';

export interface StoreOptions {
  /** Created when missing; one broker at a time. */
  readonly directory: string;
  /** Bytes the database file may grow to; a send over it is refused as on a full disk. */
  readonly maxBytes: number;
  /** Bytes of newest contents kept in memory. */
  readonly cacheBytes: number;
  /** When a group is committed; by default at the end of this turn of the event loop. */
  readonly schedule?: (flush: () => void) => void;
}

export interface SqliteStore extends MessageStore {
  /** Queues with messages in the file that are not in `served`. */
  unserved(served: ReadonlySet<number>): { readonly name: string; readonly messages: number }[];
  /** Commits what is pending now. */
  flush(): void;
  /** Commits what is pending and lets go of the data directory. */
  close(): void;
}

const PAGE_SIZE = 4096;

/** Opens the store of a data directory; throws in words a person can act on when it is in use, damaged or too new. */
export function openSqliteStore(options: StoreOptions): SqliteStore {
  const file = join(options.directory, 'service-bus.sqlite');
  const database = openDatabase(options.directory, file, options.maxBytes);
  const statements = prepareStatements(database);
  const cache = createContentCache(options.cacheBytes);
  const group = createGroupCommit(database, options.schedule ?? setImmediate);
  let lastSequenceNumber = Number(
    database.prepare("select seq from sqlite_sequence where name = 'messages'").get()?.['seq'] ?? 0,
  );

  const remember = (change: Change): void => {
    if (change.kind === 'insert') for (const record of change.records) cache.set(record.sequenceNumber, record.content);
    else if (change.kind === 'delete') cache.delete(change.sequenceNumber);
    else if ((change.kind === 'unlock' || change.kind === 'move') && change.content) {
      cache.set(change.sequenceNumber, change.content);
    }
  };
  const write = (change: Change, written: Written): void => {
    group.add({
      run: () => statements.apply(change),
      written(failure) {
        if (failure === undefined) remember(change);
        written(failure && storageFailed(file, failure));
      },
    });
  };

  return {
    queueId(name) {
      database.prepare('insert or ignore into queues (name) values (?)').run(name);
      return Number(database.prepare('select id from queues where name = ?').get(name)?.['id']);
    },
    *load(queueId) {
      for (const row of statements.load.iterate(queueId)) yield toSavedMessage(row);
    },
    nextSequenceNumber() {
      lastSequenceNumber += 1;
      return lastSequenceNumber;
    },
    write,
    note(change) {
      group.add({ run: () => statements.apply(change), written: undefined });
    },
    content(sequenceNumber) {
      const cached = cache.get(sequenceNumber);
      if (cached !== undefined) return cached;
      const content = statements.content.get(sequenceNumber)?.['content'];
      return content instanceof Uint8Array ? content : undefined;
    },
    page: (queueId, from, limit) =>
      statements.page.all(queueId, from, limit).map((row) => Number(row['sequence_number'])),
    unserved: (served) =>
      database
        .prepare(
          'select q.id, q.name, count(*) as messages from messages m join queues q on q.id = m.queue_id group by q.id order by q.name',
        )
        .all()
        .filter((row) => !served.has(Number(row['id'])))
        .map((row) => ({ name: String(row['name']), messages: Number(row['messages']) })),
    flush: () => group.flush(),
    close() {
      group.close();
      database.close();
    },
  };
}

function openDatabase(directory: string, file: string, maxBytes: number): DatabaseSync {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let database: DatabaseSync | undefined;
  try {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    // SQLite would take it for a new database.
    if (size > 0 && size < HEADER_BYTES) throw new Error(`damaged: it has ${size} bytes`);
    database = new DatabaseSync(file);
    // Exclusive: a second broker on the same directory is refused, and the lock ends with the process however it ends.
    database.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full');
    database.exec(`pragma max_page_count = ${Math.max(64, Math.floor(maxBytes / PAGE_SIZE))}`);
    database.exec('pragma journal_size_limit = 67108864; begin immediate; commit');
    assertSound(database);
    prepareSchema(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw explainOpenFailure(error, directory, file);
  }
}

/** Above this size pages are not looked through at a start. */
const QUICK_CHECK_BYTES = 1024 * 1024 * 1024;
const HEADER_BYTES = 100;

function assertSound(database: DatabaseSync): void {
  const pages = Number(database.prepare('pragma page_count').get()?.['page_count'] ?? 0);
  if (pages * PAGE_SIZE > QUICK_CHECK_BYTES) return;
  const [found = ''] = Object.values(database.prepare('pragma quick_check(1)').get() ?? {}).map(String);
  if (found !== 'ok') throw new Error(`damaged: ${found}`);
}

function explainOpenFailure(error: unknown, directory: string, file: string): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  if (/database is locked|busy/i.test(reason)) {
    return new Error(
      `The data directory ${directory} is in use by another broker. Stop that one, or give this one another directory.`,
      { cause: error },
    );
  }
  if (/not a database|malformed|damaged/i.test(reason)) {
    return new Error(
      `The file ${file} is damaged or not a broker database (${reason}). Put a copy from before in its place, or move it away to start empty.`,
      {
        cause: error,
      },
    );
  }
  return error;
}

function storageFailed(file: string, failure: Error): BrokerError {
  return new BrokerError(
    'storage-failed',
    `The broker could not write to ${file} (${failure.message}). Nothing of this was stored; free disk space or raise the limit, then try again.`,
    { cause: failure },
  );
}

function toSavedMessage(row: Record<string, SQLOutputValue>): SavedMessage {
  const source = row['dead_letter_source'];
  return {
    sequenceNumber: Number(row['sequence_number']),
    enqueuedAt: Number(row['enqueued_at']),
    expiresAt: row['expires_at'] === null ? Number.POSITIVE_INFINITY : Number(row['expires_at']),
    deliveryCount: Number(row['delivery_count']),
    locked: row['locked'] === 1,
    size: Number(row['size']),
    deadLetterSource: typeof source === 'string' ? source : undefined,
  };
}
