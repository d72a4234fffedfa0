import { addColumn, createTable, type Dialect } from '../../shared/store/schema/ddl.ts';
import type { Table } from '../../shared/store/schema/table.ts';
import { modelOf } from './model.ts';

/**
 * The statements that take a schema, given by the statements that made it, to what the descriptors say: new tables, new columns, new indexes. Throws when the descriptors
 * lack or change something that is there: no statement that adds can do that.
 */
export function difference(applied: readonly string[], tables: readonly Table[], dialect: Dialect): readonly string[] {
  const before = modelOf(applied);
  const statements = tables.flatMap((table) => {
    const present = before.tables.get(table.name);
    const [create = '', ...indexes] = createTable(table, dialect);
    const added = indexes.filter((index) => !before.indexes.has(index));
    if (present === undefined) return [create, ...added];
    const columns = Object.keys(table.columns).filter(
      (name) => ![...present].some((each) => each.startsWith(`"${name}" `)),
    );
    return [...columns.map((name) => addColumn(table, name, dialect)), ...added];
  });
  const reached = modelOf([...applied, ...statements]);
  const wanted = modelOf(tables.flatMap((table) => createTable(table, dialect)));
  const changed = [...reached.tables].flatMap(([name, definitions]) => {
    const meant = wanted.tables.get(name);
    return [...definitions].filter((each) => meant?.has(each) !== true).map((each) => `${name}: ${each}`);
  });
  const gone = [...reached.indexes].filter((index) => !wanted.indexes.has(index));
  if (changed.length + gone.length > 0)
    throw new Error(
      `the descriptors change or leave out what is there; write that step by hand:\n${[...changed, ...gone].join('\n')}`,
    );
  return statements;
}
