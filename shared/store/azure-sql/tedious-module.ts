/**
 * What is used of tedious, and no more: the runner is written against this, and the package is loaded only where Azure SQL is chosen.
 */
export type TediousType = { readonly name: string };

export type TediousColumn = {
  readonly value: unknown;
  readonly metadata: { readonly colName: string; readonly type: TediousType };
};

export type TediousRequest = {
  addParameter(name: string, type: TediousType, value: unknown, options?: { readonly length?: number }): void;
  on(event: 'row', listener: (columns: readonly TediousColumn[]) => void): unknown;
  on(event: 'columnMetadata', listener: () => void): unknown;
};

type Ended = (error?: Error | null) => void;

export type TediousConnection = {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  connect(ended: Ended): void;
  beginTransaction(ended: Ended, name: string, isolationLevel: number): void;
  commitTransaction(ended: Ended): void;
  rollbackTransaction(ended: Ended): void;
  /** One parametrised statement, by `sp_executesql`. */
  execSql(request: TediousRequest): void;
  /** A batch without parameters. */
  execSqlBatch(request: TediousRequest): void;
  close(): void;
};

export type TediousConfiguration = {
  readonly server: string;
  readonly authentication: object;
  readonly options: Readonly<Record<string, unknown>>;
};

export type TediousModule = {
  readonly Connection: new (configuration: TediousConfiguration) => TediousConnection;
  readonly Request: new (sql: string, ended: (error?: Error | null, rowCount?: number) => void) => TediousRequest;
  readonly TYPES: { readonly NVarChar: TediousType; readonly Int: TediousType; readonly BigInt: TediousType };
  readonly ISOLATION_LEVEL: Readonly<Record<string, number>>;
};

/**
 * Loads the driver, on the first call: a plane on SQLite never does. The connection's constructor is narrowed to the configuration that is given here; the rest
 * is the package's own types.
 */
export async function loadTedious(): Promise<TediousModule> {
  const { Connection, Request, TYPES, ISOLATION_LEVEL } = await import('tedious');
  return { Connection: Connection as unknown as TediousModule['Connection'], Request, TYPES, ISOLATION_LEVEL };
}
