/**
 * A command is a generator that yields compiled statements and is driven by the dialect's runner: synchronously on SQLite
 * (many commands a tick share one fsync), awaited on Azure SQL. The whole command is one transaction. It does no I/O but
 * its statements, and may be run again from the start when the database asks for a retry.
 *
 *   function* claim(input): Command<Lease> {
 *     const row = yield* one(selectJob({ job: input.job }));
 *     …
 *   }
 */
export type Row = Readonly<Record<string, SqlValue>>;
export type SqlValue = string | number | null | Uint8Array;

/** Rank in the lock order: a command may only take locks of equal or higher rank than it holds. */
export const LOCK_ORDER = [
  'tenant',
  'application',
  'session',
  'request',
  'node',
  'job',
  'approval',
  'effect',
  'installation',
  'artifact',
  'cost',
  'audit_head',
] as const;
export type LockTarget = (typeof LOCK_ORDER)[number];

/** A statement with its parameters bound, ready for the runner. `name` is unique; `locks` is what it locks or writes, for the lock-order check. */
export type BoundStatement<R> = {
  readonly name: string;
  readonly parameters: Readonly<Record<string, SqlValue>>;
  readonly locks?: LockTarget | undefined;
  /** Phantom: the row type. */
  readonly __row?: R;
};

export type Execution = { readonly rows: readonly Row[]; readonly changes: number };
export type Command<T> = Generator<BoundStatement<unknown>, T, Execution>;

/** A value that ends a command without a commit: nothing was changed and nothing is to be told. */
export class Unchanged<T> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}
export const unchanged = <T>(value: T): Unchanged<T> => new Unchanged(value);

/** Every row of a statement. */
export function* rows<R>(statement: BoundStatement<R>): Command<readonly R[]> {
  const execution = yield statement;
  return execution.rows as readonly R[];
}

/** The only row, or undefined. More than one is a broken assumption and throws. */
export function* one<R>(statement: BoundStatement<R>): Command<R | undefined> {
  const execution = yield statement;
  if (execution.rows.length > 1)
    throw new Error(`statement ${statement.name} answered ${execution.rows.length} rows where at most one can exist`);
  return execution.rows[0] as R | undefined;
}

/** How many rows a write changed. */
export function* write(statement: BoundStatement<unknown>): Command<number> {
  const execution = yield statement;
  return execution.changes;
}

/** A write that must change exactly one row: anything else is a broken invariant, and rolls the command back. */
export function* writeOne(statement: BoundStatement<unknown>): Command<void> {
  const execution = yield statement;
  if (execution.changes !== 1)
    throw new Error(`statement ${statement.name} changed ${execution.changes} rows where it must change one`);
}
