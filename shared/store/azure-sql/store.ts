import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from '../../domain/refusal.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import { type BoundStatement, type Command, type Execution, Unchanged } from '../command.ts';
import { lockOrderWatch } from '../lock-order.ts';
import { definitionOf } from '../statement.ts';
import type { Store } from '../store.ts';
import { type Fault, faultOf, retryDelay } from './fault.ts';
import { requireCurrentSchema } from './migrate.ts';
import type { SqlSession } from './session.ts';
import { createSessionPool, PoolExhausted, type PoolLimits } from './session-pool.ts';

/** Statements of one command: a loop that does not end is a fault, not work. */
const STATEMENTS = 50_000;
/** No attempt of a command begins later than this after its first. */
const RETRIES_WITHIN_MS = 30_000;
const LIMITS: PoolLimits = { sessions: 20, waiting: 5_000, waitMs: 10_000, idleMs: 5 * 60_000 };
const READS = /^\s*(select|with)\b/i;

export type AzureSqlStoreOptions = {
  /** Opens one connection; see `session.ts`. */
  readonly connect: () => Promise<SqlSession>;
  readonly limits?: Partial<PoolLimits>;
  /** Waits some milliseconds before a retry. */
  readonly wait?: (ms: number) => Promise<unknown>;
};

/** A commit whose answer never came. */
class CommitUncertain extends Error {
  override readonly name = 'CommitUncertain';
}

/**
 * The store on Azure SQL: each command is a transaction of its own under READ COMMITTED (with row versions, as the service has it), on one of a bounded number of
 * connections, its statements awaited one after another. Where a command relies on a row, its statement locks it (`updlock, holdlock`).
 * Faults that pass are retried by running the command again from its start, by one table (`fault.ts`). A commit whose answer was lost is never
 * repeated: the caller is told that it is whole or absent, and repeats the call, which finds its first answer.
 * Reads run outside a transaction: each statement sees the latest commits, and two of one query may lie on both sides of one.
 *
 * Throws when the schema is not the program's; migrations run beforehand, under an identity of their own.
 */
export async function openAzureSqlStore(options: AzureSqlStoreOptions): Promise<Store> {
  const { connect, wait = pause } = options;
  const pool = createSessionPool(connect, { ...LIMITS, ...options.limits });
  const statistics = { commands: 0, commits: 0, refused: 0 };
  let closed = false;
  const busy = new Set<Promise<unknown>>();

  /** One attempt in a transaction. The session goes back only when it certainly holds none. */
  async function transact<T>(label: string, command: () => Command<T | Unchanged<T>>): Promise<T> {
    const session = await pool.take();
    let spoilt = true;
    try {
      await session.begin();
      const value = await drive(label, command, (statement) => session.execute(statement));
      if (value instanceof Unchanged) {
        spoilt = !(await rolledBack(session));
        return value.value;
      }
      await crossing('store.commit', () => commit(session));
      statistics.commits++;
      spoilt = false;
      return value;
    } catch (error) {
      spoilt = !(await rolledBack(session));
      throw error;
    } finally {
      pool.give(session, spoilt);
    }
  }

  async function look<T>(label: string, query: () => Command<T>): Promise<T> {
    const session = await pool.take();
    try {
      return await drive(label, query, (statement) => {
        if (!READS.test(definitionOf(statement.name).compiled('azure-sql').sql))
          throw new Error(`statement ${statement.name} writes, and was given to read: use run`);
        return session.execute(statement);
      });
    } finally {
      pool.give(session);
    }
  }

  /** Runs attempts until one ends, the table gives up or time does. */
  async function retried<T>(label: string, attempt: () => Promise<T>): Promise<T> {
    if (closed) throw unavailable(`The store is closed; the command ${label} was not run.`);
    const until = Date.now() + RETRIES_WITHIN_MS;
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt();
      } catch (error) {
        const fault = faultOf(error);
        const delay = fault === undefined ? undefined : retryDelay(fault.kind, attempts);
        if (delay === undefined || Date.now() + delay > until) {
          statistics.refused++;
          throw ending(error, fault);
        }
        if (delay > 0) await wait(delay);
      }
    }
  }

  function tracked<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    busy.add(settled);
    void settled.then(() => busy.delete(settled));
    return work;
  }

  const store: Store = {
    dialect: 'azure-sql',
    run: (label, command) => {
      statistics.commands++;
      return tracked(retried(label, () => transact(label, command)));
    },
    read: (label, query) => tracked(retried(label, () => look(label, query))),
    statistics: () => ({ ...statistics }),
    async close() {
      closed = true;
      await Promise.all(busy);
      pool.close();
    },
  };
  try {
    await retried('open', async () => {
      const session = await pool.take();
      try {
        await requireCurrentSchema(session);
      } finally {
        pool.give(session);
      }
    });
    return store;
  } catch (error) {
    pool.close();
    throw error;
  }
}

async function commit(session: SqlSession): Promise<void> {
  try {
    await session.commit();
  } catch (error) {
    const fault = faultOf(error);
    // A conflict or a duplicate is the server saying that it rolled back; after anything else nobody knows.
    if (fault?.kind === 'conflict' || fault?.kind === 'duplicate') throw error;
    throw new CommitUncertain(fault?.why ?? 'the commit failed', { cause: error });
  }
}

const rolledBack = (session: SqlSession): Promise<boolean> =>
  session.usable()
    ? session.rollback().then(
        () => session.usable(),
        () => false,
      )
    : Promise.resolve(false);

/** Drives a command's statements one after another, watching their lock order. */
async function drive<T>(
  label: string,
  command: () => Command<T>,
  execute: (statement: BoundStatement<unknown>) => Promise<Execution>,
): Promise<T> {
  const watch = lockOrderWatch(label);
  const generator = command();
  let step = generator.next();
  for (let count = 1; step.done !== true; count++) {
    if (count > STATEMENTS)
      throw new Error(`command ${label} issued more than ${STATEMENTS} statements; it was rolled back`);
    watch(step.value);
    step = generator.next(await execute(step.value));
  }
  return step.value;
}

/** What the caller is told once no attempt follows. A key that is there already stays the error it is: the command was wrong about it twice. */
function ending(error: unknown, fault: Fault | undefined): unknown {
  if (error instanceof CommitUncertain)
    return unavailable(
      `The store did not answer whether it committed: ${error.message}. The change is there as a whole or not at all; repeat the same call, which then answers as the first would have.`,
    );
  if (error instanceof PoolExhausted)
    return unavailable(`The store could not take the command on: ${error.message}. Nothing was changed.`);
  if (fault === undefined || fault.kind === 'duplicate') return error;
  return unavailable(`The store could not commit: ${fault.why}. Nothing was changed.`);
}

const unavailable = (message: string): Refusal =>
  new Refusal(503, 'FACTORY-STORE-UNAVAILABLE', `${message} Call again later.`, { retryAfterSeconds: 5 });
