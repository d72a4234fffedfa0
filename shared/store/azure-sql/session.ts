import type { BoundStatement, Execution, Row, SqlValue } from '../command.ts';
import { definitionOf } from '../statement.ts';
import { OWN_STATEMENTS } from './own-statements.ts';
import { addParameters } from './parameters.ts';
import type { TediousColumn, TediousConfiguration, TediousModule, TediousRequest } from './tedious-module.ts';

const CONNECT_MS = 15_000;
const STATEMENT_MS = 15_000;
const CANCEL_MS = 5_000;
/** "The ROLLBACK TRANSACTION request has no corresponding BEGIN": the server has rolled back by itself, as XACT_ABORT tells it to. */
const NOTHING_TO_ROLL_BACK = 3903;

/** One connection to the database, used by one command at a time. */
export type SqlSession = {
  begin(): Promise<void>;
  commit(): Promise<void>;
  /** Also when the server has rolled back already. */
  rollback(): Promise<void>;
  execute(statement: BoundStatement<unknown>): Promise<Execution>;
  /** A statement of a migration, or another without parameters. */
  batch(sql: string): Promise<readonly Row[]>;
  /** False once the connection broke: its transaction, if any, is rolled back by the server. */
  usable(): boolean;
  close(): void;
};

export type AzureSqlAddress = {
  /** Host name of the logical server, e.g. `plane.database.windows.net`. */
  readonly server: string;
  readonly database: string;
  /** As tedious takes it: `{ type: 'token-credential', options: { credential } }` for an identity (Entra), the only kind the deployed plane uses. */
  readonly authentication: object;
  /** 1433 when absent. */
  readonly port?: number;
  /** For a server on the developer's own machine, whose certificate nobody signed. */
  readonly trustServerCertificate?: boolean;
  /** Time limit of a statement; 15 s when absent. A migration that fills an index needs more. */
  readonly statementMs?: number;
};

const configurationOf = (address: AzureSqlAddress, tedious: TediousModule): TediousConfiguration => ({
  server: address.server,
  authentication: address.authentication,
  options: {
    database: address.database,
    port: address.port ?? 1433,
    appName: 'agent-factory',
    encrypt: true,
    trustServerCertificate: address.trustServerCertificate ?? false,
    // SET XACT_ABORT ON: an error ends the transaction whole, where T-SQL would otherwise go on after it.
    abortTransactionOnError: true,
    connectionIsolationLevel: tedious.ISOLATION_LEVEL['READ_COMMITTED'],
    connectTimeout: CONNECT_MS,
    requestTimeout: address.statementMs ?? STATEMENT_MS,
    cancelTimeout: CANCEL_MS,
    // The store decides about retries, in one place.
    maxRetriesOnTransientErrors: 0,
  },
});

/** Connects and sets the session up. The errors are tedious's own; `faultOf` reads them. */
export async function openSession(tedious: TediousModule, address: AzureSqlAddress): Promise<SqlSession> {
  const connection = new tedious.Connection(configurationOf(address, tedious));
  let broken = false;
  const breaks = (): void => {
    broken = true;
  };
  connection.on('error', breaks);
  connection.on('end', breaks);

  const called = (call: (ended: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      call((error) => (error === undefined || error === null ? resolve() : reject(error)));
    });

  function ask(sql: string, send: (request: TediousRequest) => void): Promise<Execution> {
    return new Promise((resolve, reject) => {
      const rows: Row[] = [];
      let fault: Error | undefined;
      let answers = false;
      const request = new tedious.Request(sql, (error, rowCount) => {
        const failed = error ?? fault;
        if (failed !== undefined) reject(failed);
        else resolve({ rows, changes: answers ? rows.length : (rowCount ?? 0) });
      });
      request.on('columnMetadata', () => {
        answers = true;
      });
      request.on('row', (columns) => {
        try {
          rows.push(rowOf(columns));
        } catch (error) {
          fault ??= error instanceof Error ? error : new Error(String(error));
        }
      });
      send(request);
    });
  }

  const session: SqlSession = {
    begin: () =>
      called((ended) => connection.beginTransaction(ended, '', tedious.ISOLATION_LEVEL['READ_COMMITTED'] ?? 2)),
    commit: () => called((ended) => connection.commitTransaction(ended)),
    rollback: () =>
      called((ended) => connection.rollbackTransaction(ended)).catch((error: unknown) => {
        if ((error as { number?: unknown }).number !== NOTHING_TO_ROLL_BACK) throw error;
      }),
    async execute(bound) {
      const definition = definitionOf(bound.name);
      const { sql, order } = definition.compiled('azure-sql');
      return ask(sql, (request) => {
        addParameters(request, tedious.TYPES, definition, order, bound);
        connection.execSql(request);
      });
    },
    batch: async (sql) => (await ask(sql, (request) => connection.execSqlBatch(request))).rows,
    usable: () => !broken,
    close: () => connection.close(),
  };
  try {
    await called((ended) => connection.connect(ended));
    await session.batch(OWN_STATEMENTS['session.lockTimeout']);
  } catch (error) {
    connection.close();
    throw error;
  }
  return session;
}

/** tedious answers a bigint as text, under the type name `BigInt` or, where it may be null, `IntN`. */
const INTEGERS = new Set(['BigInt', 'IntN']);

function rowOf(columns: readonly TediousColumn[]): Row {
  const row: Record<string, SqlValue> = {};
  for (const { value, metadata } of columns) {
    if (value === null || typeof value === 'number') row[metadata.colName] = value;
    else if (typeof value !== 'string')
      throw new Error(`column ${metadata.colName} came as ${metadata.type.name}, which no statement answers`);
    else row[metadata.colName] = INTEGERS.has(metadata.type.name) ? safeInteger(metadata.colName, value) : value;
  }
  return row;
}

function safeInteger(column: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new Error(`column ${column} holds ${text}, which is beyond what a number can tell apart`);
  return value;
}
