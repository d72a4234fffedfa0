import type { Column, TypeOf } from './column.ts';

export type Columns = Readonly<Record<string, Column<unknown>>>;

export type Index<K extends string = string> = {
  readonly name: string;
  /** In order; `desc` where the statement reads it so. */
  readonly columns: readonly (K | `${K} desc`)[];
  readonly unique?: boolean;
  /** Condition of a partial index, in words both dialects accept (`=`, `<>`, `in`, `is null`, `and`). */
  readonly where?: string;
  /** The statements that need it, or the rule a unique index enforces. */
  readonly serves: readonly string[] | string;
};

/** One table: from it come the row type, the DDL of both dialects and the statements over whole rows. */
export type Table<N extends string = string, C extends Columns = Columns> = {
  readonly name: N;
  readonly columns: C;
  readonly primaryKey: readonly string[];
  readonly indexes: readonly Index[];
  /** Foreign keys: column → table whose single-column primary key it names. Only where a parent is never deleted before its rows. */
  readonly references: Readonly<Record<string, string>>;
};

export type RowOf<T> = T extends Table<string, infer C> ? { readonly [K in keyof C]: TypeOf<C[K]> } : never;

export function table<N extends string, C extends Columns>(
  name: N,
  columns: C,
  options: {
    primaryKey?: readonly (keyof C & string)[];
    indexes?: readonly Index<keyof C & string>[];
    references?: { readonly [K in keyof C & string]?: string };
  } = {},
): Table<N, C> {
  const { primaryKey = ['id'], indexes = [], references = {} } = options;
  return { name, columns, primaryKey, indexes, references: references as Readonly<Record<string, string>> };
}
