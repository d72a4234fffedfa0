import { Refusal } from '../../domain/refusal.ts';
import { crossingSync } from '../../telemetry/crash-point.ts';
import { type BoundStatement, type Command, type Execution, Unchanged } from '../command.ts';
import { lockOrderWatch } from '../lock-order.ts';
import type { Store } from '../store.ts';
import { openConnection } from './connection.ts';
import { lockDataFile } from './data-lock.ts';
import { storageRefusal } from './storage-fault.ts';

/** Commands that share one commit: bounds how long the event loop is held, at some 30 µs a command. */
const GROUP = 256;
/** Commands waiting for a commit; beyond it the caller is refused rather than memory filled. */
const WAITING = 20_000;
/** Statements of one command: a loop that does not end is a fault, not work. */
const STATEMENTS = 50_000;

type Waiting = {
  readonly label: string;
  readonly command: () => Command<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
};
/** How a command ended inside the transaction, to be told once the group is durable. */
type Ended = { readonly waiting: Waiting; readonly tell: () => void };

const wallClock = (): number => Date.now();

/**
 * The embedded store: one process, one connection, one writer. Commands that arrive in the same turn of the event loop run
 * one after another in one transaction, each under its own savepoint, and are answered after the one commit. A command
 * that throws or leaves things unchanged is rolled back to its savepoint and harms no other. When the storage fails, the
 * whole group is refused, since each may have relied on what another of it wrote, and the store works again once the storage does.
 *
 * `clock` gives milliseconds since the epoch; database time never goes back within a process even when the clock does.
 * `maximumBytes` bounds the data file; at the bound commands are refused as on a full disk, until rows have gone.
 * Throws when another process has the file open, when its schema is newer than the program's or another one, and DamagedDatabase
 * when the file is damaged.
 */
export function openSqliteStore(options: {
  readonly file: string;
  readonly clock?: () => number;
  readonly maximumBytes?: number;
}): Store {
  const { file, clock = wallClock } = options;
  const release = file === ':memory:' ? () => {} : lockDataFile(file);
  let latest = 0;
  const now = (): number => {
    latest = Math.max(latest, Math.floor(clock()));
    return latest;
  };
  const connection = opened(() => openConnection(file, now, options.maximumBytes), release);
  const { database } = connection;
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  const rollback = database.prepare('rollback');
  const savepoint = database.prepare('savepoint command');
  const undo = database.prepare('rollback to command');
  const keep = database.prepare('release command');

  const statistics = { commands: 0, commits: 0, refused: 0 };
  let waiting: Waiting[] = [];
  let scheduled = false;
  let closed = false;

  /** Runs one command to its end under a savepoint. Faults of the storage are thrown; all else is an ending. Returns whether it wrote. */
  function runOne(item: Waiting, ended: Ended[]): boolean {
    savepoint.run();
    let keeps = false;
    try {
      const value = drive(item.label, item.command, connection.execute);
      keeps = !(value instanceof Unchanged);
      ended.push({
        waiting: item,
        tell: () => item.resolve((value instanceof Unchanged ? value.value : value) as never),
      });
    } catch (error) {
      if (storageRefusal(error) !== undefined || !database.isTransaction) throw error;
      ended.push({ waiting: item, tell: () => item.reject(error) });
    }
    if (!keeps) undo.run();
    keep.run();
    return keeps;
  }

  function runGroup(): void {
    scheduled = false;
    const group = waiting.slice(0, GROUP);
    waiting = waiting.slice(GROUP);
    if (waiting.length > 0) schedule();
    const ended: Ended[] = [];
    try {
      begin.run();
      let wrote = false;
      for (const item of group) wrote = runOne(item, ended) || wrote;
      if (wrote) {
        const noted = connection.counted();
        crossingSync('store.commit', () => commit.run());
        noted();
        statistics.commits += 1;
      } else rollback.run();
    } catch (error) {
      abandon(group, error);
      return;
    }
    statistics.commands += group.length;
    for (const { tell } of ended) tell();
  }

  function abandon(group: readonly Waiting[], error: unknown): void {
    // SQLite may have rolled back by itself: "if the transaction was automatically rolled back, ROLLBACK fails" (lang_transaction).
    if (database.isTransaction) rollback.run();
    statistics.refused += group.length;
    const refusal = storageRefusal(error) ?? error;
    for (const item of group) item.reject(refusal);
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(runGroup);
  }

  return {
    dialect: 'sqlite',
    run(label, command) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(unavailable(`The store is closed; the command ${label} was not run.`));
        if (waiting.length >= WAITING)
          return reject(unavailable(`${WAITING} commands wait for the store; ${label} was not taken on.`));
        waiting.push({ label, command, resolve: resolve as (value: never) => void, reject });
        schedule();
      });
    },
    async read(label, query) {
      if (closed) throw unavailable(`The store is closed; the query ${label} was not run.`);
      try {
        return drive(label, query, connection.query);
      } catch (error) {
        throw storageRefusal(error) ?? error;
      }
    },
    statistics: () => ({ ...statistics }),
    async close() {
      if (closed) return;
      closed = true;
      while (waiting.length > 0) runGroup();
      connection.close();
      release();
    },
  };
}

/** Drives a command's statements one after another, watching their lock order. */
function drive<T>(
  label: string,
  command: () => Command<T>,
  execute: (statement: BoundStatement<unknown>) => Execution,
): T {
  const watch = lockOrderWatch(label);
  const generator = command();
  let step = generator.next();
  for (let count = 1; step.done !== true; count++) {
    if (count > STATEMENTS)
      throw new Error(`command ${label} issued more than ${STATEMENTS} statements; it was rolled back`);
    watch(step.value);
    step = generator.next(execute(step.value));
  }
  return step.value;
}

function opened<T>(open: () => T, release: () => void): T {
  try {
    return open();
  } catch (error) {
    release();
    throw error;
  }
}

const unavailable = (message: string): Refusal =>
  new Refusal(503, 'FACTORY-STORE-UNAVAILABLE', `${message} Call again later.`, { retryAfterSeconds: 1 });
