/** A schema as its statements say it: each table's definitions (columns and constraints), and the indexes. Order means nothing. */
export type SchemaModel = { readonly tables: Map<string, Set<string>>; readonly indexes: Set<string> };

const CREATE_TABLE = /^create table "(\w+)" \(\n {2}([\s\S]*)\n\)( strict)?$/;
const ADD_COLUMN = /^alter table "(\w+)" add (?:column )?(".*)$/;
const CREATE_INDEX = /^create (?:unique )?index /;

/**
 * What a list of statements sums up to. Knows what `schema/ddl.ts` writes, tables, added columns and indexes, and throws at anything else: a step written by hand
 * has to say here what it does.
 */
export function modelOf(statements: readonly string[]): SchemaModel {
  const model: SchemaModel = { tables: new Map(), indexes: new Set() };
  for (const statement of statements) {
    const [, table = '', body = '', strict] = CREATE_TABLE.exec(statement) ?? [];
    const [, widened = '', column = ''] = ADD_COLUMN.exec(statement) ?? [];
    const definitions = model.tables.get(widened);
    if (table !== '')
      model.tables.set(table, new Set([...body.split(',\n  '), ...(strict === undefined ? [] : ['strict'])]));
    else if (definitions !== undefined) definitions.add(column);
    else if (CREATE_INDEX.test(statement)) model.indexes.add(statement);
    else throw new Error(`what does this statement do to the schema? ${statement.slice(0, 200)}`);
  }
  return model;
}
