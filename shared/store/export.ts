import './statements.ts';
import { OWN_STATEMENTS } from './azure-sql/own-statements.ts';
import { MIGRATIONS } from './migrations/list.ts';
import type { Dialect } from './schema/ddl.ts';
import { type CompiledStatement, definedStatements, type StatementDefinition } from './statement.ts';

/**
 * The whole store as text, so that an independent compiler can parse each statement and bind it against the schema: all
 * migrations in order (`GO` between batches, as sqlcmd wants), and each statement with its name and its parameters' types; of Azure SQL also what the
 * store itself asks of a server.
 */
export function exportStatements(dialect: Dialect): { readonly schema: string; readonly queries: string } {
  const end = dialect === 'azure-sql' ? '\nGO\n' : ';\n';
  const schema = MIGRATIONS.map((migration) => {
    const breaking = migration.breaking ? 'breaking' : 'not breaking';
    return `-- migration ${migration.number}: ${migration.name} (${breaking})\n${migration.statements(dialect).join(end)}${end}`;
  });
  const own = dialect === 'azure-sql' ? Object.entries(OWN_STATEMENTS) : [];
  return {
    schema: schema.join('\n'),
    queries: [
      ...definedStatements().map((definition) => query(definition, definition.compiled(dialect), dialect)),
      ...own.map(([name, sql]) => `-- name: ${name}\n${sql};\n`),
    ].join('\n'),
  };
}

function query(definition: StatementDefinition, { sql, order }: CompiledStatement, dialect: Dialect): string {
  const marker = dialect === 'azure-sql' ? '@' : '?';
  const parameters = order.map((name, at) => `-- ${marker}${at + 1} ${typeOf(definition, name, dialect)} -- ${name}\n`);
  const locks = definition.locks === undefined ? '' : `-- locks: ${definition.locks}\n`;
  return `-- name: ${definition.name}\n${locks}${parameters.join('')}${sql};\n`;
}

function typeOf(definition: StatementDefinition, parameter: string, dialect: Dialect): string {
  const column = definition.parameters[parameter];
  if (column === undefined)
    throw new Error(`statement ${definition.name} uses the parameter ${parameter}, which it does not declare`);
  return dialect === 'sqlite' ? column.sqlite : column.tsql.replace(/ collate .*/, '');
}
