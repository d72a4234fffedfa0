import { type CompiledQuery, type Kysely, type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';
import { checked } from './bind.ts';
import type { BoundStatement, LockTarget, SqlValue } from './command.ts';
import { builderOf, Parameter, type Words, wordsOf } from './dialect.ts';
import type { Column, TypeOf } from './schema/column.ts';
import type { Dialect } from './schema/ddl.ts';
import type { Database } from './schema/tables.ts';

export type ParameterColumns = Readonly<Record<string, Column<unknown>>>;
export type Values<P> = { readonly [K in keyof P]: TypeOf<P[K]> };
type Markers<P> = { readonly [K in keyof P]: RawBuilder<TypeOf<P[K]>> };
type Compilable<R> = { compile(provider: QueryExecutorProvider): CompiledQuery<R> };

/** A statement's text in one dialect; `order` names the parameter of each placeholder, from 1. */
export type CompiledStatement = { readonly sql: string; readonly order: readonly string[] };

export type StatementDefinition = {
  readonly name: string;
  readonly locks: LockTarget | undefined;
  readonly parameters: ParameterColumns;
  compiled(dialect: Dialect): CompiledStatement;
};

const registry = new Map<string, StatementDefinition>();

/** Every statement that has been defined by the modules loaded so far; `statements.ts` loads them all. */
export const definedStatements = (): readonly StatementDefinition[] =>
  [...registry.values()].sort((a, b) => (a.name < b.name ? -1 : 1));

export function definitionOf(name: string): StatementDefinition {
  const definition = registry.get(name);
  if (definition === undefined)
    throw new Error(`no statement is called ${name}: statements are made by defineStatement only`);
  return definition;
}

/**
 * Defines a statement: built once a dialect with parameter markers, executed by name with bound values (a five-statement
 * transaction costs 24 µs this way, 58 µs through the builder each time). The row type is the builder's.
 *
 * - `name`: `<folder>.<verb>`, unique.
 * - `locks`: what it locks or writes, when that has a rank in the lock order.
 * - `parameters`: the column each value is for; it gives the type, the bounds and the T-SQL type.
 *
 * The function it returns binds values; those not declared are ignored, so that a whole row can be given. See `bind.ts` for refusals.
 */
export function defineStatement<const P extends ParameterColumns, R>(definition: {
  name: string;
  locks?: LockTarget;
  parameters: P;
  build: (db: Kysely<Database>, p: Markers<P>, words: Words) => Compilable<R>;
}): (values: Values<P>) => BoundStatement<R> {
  const { name, locks, parameters } = definition;
  if (registry.has(name)) throw new Error(`two statements are called ${name}`);
  const columns = Object.entries(parameters);
  const markers = Object.fromEntries(
    columns.map(([parameter]) => [parameter, sql`${new Parameter(parameter)}`]),
  ) as Markers<P>;
  const texts: { [D in Dialect]?: CompiledStatement } = {};
  const compiled = (dialect: Dialect): CompiledStatement => {
    const known = texts[dialect];
    if (known !== undefined) return known;
    const db = builderOf(dialect);
    const query = definition.build(db, markers, wordsOf(dialect)).compile(db);
    const text = { sql: query.sql, order: query.parameters.map(String) };
    texts[dialect] = text;
    return text;
  };
  registry.set(name, { name, locks, parameters, compiled });
  return (values) => {
    const bound: Record<string, SqlValue> = {};
    for (const [parameter, column] of columns) bound[parameter] = checked(name, parameter, column, values[parameter]);
    return { name, parameters: bound, locks };
  };
}
