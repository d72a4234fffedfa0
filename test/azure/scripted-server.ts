import type { SqlSession } from '../../shared/store/azure-sql/session.ts';
import { openSession } from '../../shared/store/azure-sql/session.ts';
import {
  loadTedious,
  type TediousColumn,
  type TediousConfiguration,
  type TediousModule,
  type TediousRequest,
} from '../../shared/store/azure-sql/tedious-module.ts';
import type { Execution } from '../../shared/store/command.ts';
import { exportStatements } from '../../shared/store/export.ts';
import { MIGRATIONS } from '../../shared/store/migrations/list.ts';
import { migrationDigest } from '../../shared/store/migrations/pending.ts';
import type { Column } from '../../shared/store/schema/column.ts';
import { bigintColumns } from '../../shared/store/schema/ddl.ts';
import { TABLES } from '../../shared/store/schema/tables.ts';
import { openConnection } from '../../shared/store/sqlite/connection.ts';
import { definedStatements, type StatementDefinition } from '../../shared/store/statement.ts';

type Ended = (error?: Error | null) => void;
type SentParameter = {
  readonly name: string;
  readonly type: { readonly name: string };
  readonly value: unknown;
  readonly length?: number;
};
/** What tedious's own request holds when it is handed to a connection. */
type SentRequest = TediousRequest & {
  readonly sqlTextOrProcedure: string;
  readonly parameters: readonly SentParameter[];
  readonly callback: (error: Error | null, rowCount?: number) => void;
  emit(event: string, value: unknown): void;
};

export const sqlError = (number: number): Error =>
  Object.assign(new Error(`error ${number}`), { number, code: 'EREQUEST' });
export const driverError = (code: string): Error => Object.assign(new Error(`driver error ${code}`), { code });

const tedious = await loadTedious();
exportStatements('azure-sql');
const byText = new Map<string, StatementDefinition>(
  definedStatements().map((statement) => [statement.compiled('azure-sql').sql, statement]),
);
const bigints = bigintColumns(Object.values(TABLES));

/**
 * Stands where the server would: tedious's own requests and types, and a connection that records what is sent. Statements are answered by SQLite with their SQLite
 * form, values as tedious would give them; `faults` breaks steps in turn. It knows nothing of locks and of T-SQL: only a server can show those.
 */
export class ScriptedServer {
  readonly log: string[] = [];
  readonly sent: { readonly name: string; readonly parameters: readonly SentParameter[] }[] = [];
  readonly configurations: TediousConfiguration[] = [];
  /** Errors by step (`begin`, `commit`, `rollback`, `connect` or a statement's name), each used once. */
  readonly faults: { readonly step: string; readonly error: Error }[] = [];
  readonly connections: { readonly breaks: () => void }[] = [];
  migrated = true;
  /** Migrations of a newer program, applied to this database. */
  later: readonly {
    readonly number: number;
    readonly name: string;
    readonly breaking: boolean;
    readonly digest: string;
  }[] = [];
  readonly #sqlite = openConnection(':memory:', () => Date.now());

  connect = (): Promise<SqlSession> =>
    openSession(this.module(), { server: 'sql.test', database: 'plane', authentication: { type: 'token-credential' } });

  module(): TediousModule {
    const server = this;
    const { Request, TYPES, ISOLATION_LEVEL } = tedious;
    class Connection {
      readonly #listeners: { readonly event: string; readonly listener: (error: Error) => void }[] = [];
      #open = false;
      constructor(configuration: TediousConfiguration) {
        server.configurations.push(configuration);
        server.connections.push({
          breaks: () => {
            this.#end();
            for (const each of this.#listeners) if (each.event === 'end') each.listener(new Error('end'));
          },
        });
      }
      on(event: string, listener: (error: Error) => void): this {
        this.#listeners.push({ event, listener });
        return this;
      }
      /** The server rolls back what a connection leaves open. */
      #end(): void {
        if (this.#open && server.database.isTransaction) server.database.exec('rollback');
        this.#open = false;
      }
      #step(name: string, ended: Ended, act?: () => void): void {
        server.log.push(name);
        const error = server.fault(name);
        if (error === undefined) act?.();
        setImmediate(() => ended(error ?? null));
      }
      connect(ended: Ended): void {
        this.#step('connect', ended);
      }
      beginTransaction(ended: Ended, _name: string, isolation: number): void {
        this.#step('begin', ended, () => {
          server.database.exec('begin immediate');
          this.#open = true;
        });
        if (isolation !== ISOLATION_LEVEL['READ_COMMITTED']) throw new Error(`isolation ${isolation}`);
      }
      commitTransaction(ended: Ended): void {
        this.#step('commit', ended, () => {
          server.database.exec('commit');
          this.#open = false;
        });
      }
      rollbackTransaction(ended: Ended): void {
        this.#end();
        this.#step('rollback', ended);
      }
      execSql(request: TediousRequest): void {
        server.answer(request as SentRequest);
      }
      execSqlBatch(request: TediousRequest): void {
        server.answerBatch(request as SentRequest);
      }
      close(): void {
        this.#end();
        server.log.push('close');
      }
    }
    return { Connection, Request, TYPES, ISOLATION_LEVEL };
  }

  get database() {
    return this.#sqlite.database;
  }

  fault(step: string): Error | undefined {
    const at = this.faults.findIndex((each) => each.step === step);
    return at < 0 ? undefined : this.faults.splice(at, 1)[0]!.error;
  }

  answer(request: SentRequest): void {
    const statement = byText.get(request.sqlTextOrProcedure);
    if (statement === undefined) return void setImmediate(() => request.callback(sqlError(102)));
    const { order } = statement.compiled('azure-sql');
    this.log.push(statement.name);
    this.sent.push({ name: statement.name, parameters: request.parameters });
    const parameters = Object.fromEntries(order.map((name, at) => [name, request.parameters[at]!.value as string]));
    const error = this.fault(statement.name);
    setImmediate(() => {
      if (error !== undefined) return request.callback(error);
      try {
        this.#tell(request, this.#sqlite.execute({ name: statement.name, parameters }));
      } catch (failed) {
        request.callback(failed as Error);
      }
    });
  }

  #tell(request: SentRequest, { rows, changes }: Execution): void {
    if (rows.length > 0) request.emit('columnMetadata', []);
    for (const row of rows) {
      request.emit(
        'row',
        Object.entries(row).map(([colName, value]): TediousColumn => {
          const big = typeof value === 'number' && bigints.has(colName);
          return {
            value: big ? String(value) : value,
            metadata: { colName, type: { name: big ? 'IntN' : 'NVarChar' } },
          };
        }),
      );
    }
    request.callback(null, changes);
  }

  /** Knows the few batches there are: session set-up, and reading and making migrations. */
  answerBatch(request: SentRequest): void {
    const text = request.sqlTextOrProcedure;
    this.log.push(text.split(/\s+/).slice(0, 2).join(' '));
    const column = (colName: string, value: unknown): TediousColumn => ({
      value,
      metadata: { colName, type: { name: 'Int' } },
    });
    setImmediate(() => {
      if (text.startsWith('select object_id')) request.emit('row', [column('id', this.migrated ? 7 : null)]);
      if (text.startsWith('select number')) {
        const known = MIGRATIONS.map((each) => ({ ...each, digest: migrationDigest(each, 'azure-sql') as string }));
        for (const migration of [...known, ...this.later])
          request.emit('row', [
            column('number', migration.number),
            column('name', migration.name),
            column('breaking', migration.breaking ? 1 : 0),
            column('digest', migration.digest),
          ]);
      }
      if (text.startsWith('insert into migrations')) this.migrated = true;
      request.callback(null, 0);
    });
  }
}

/** The columns of a statement's parameters, by number. */
export function declared(name: string): readonly Column<unknown>[] {
  const statement = definedStatements().find((each) => each.name === name)!;
  return statement.compiled('azure-sql').order.map((parameter) => statement.parameters[parameter]!);
}
