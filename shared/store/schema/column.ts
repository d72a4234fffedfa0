import type { Digest } from '../../domain/digest.ts';
import type { Id, IdKind } from '../../domain/ids.ts';

/** How a column's values are checked before they are bound, and what each dialect calls its type. */
export type ColumnForm = 'key' | 'text' | 'json' | 'int' | 'bigint' | 'flag';

/**
 * One column: its SQL types, its bounds, and (as a phantom) the TypeScript type of its values. `key` text is compared and
 * indexed, so it may not end in a space: T-SQL holds `'a ' = 'a'`, SQLite does not.
 */
export type Column<T> = {
  readonly form: ColumnForm;
  readonly tsql: string;
  readonly sqlite: 'text' | 'integer';
  /** In UTF-16 code units, as nvarchar counts them. */
  readonly maximumLength?: number | undefined;
  readonly nullable: boolean;
  /** The only values it may hold, enforced by a check in both dialects. */
  readonly values?: readonly string[] | undefined;
  readonly __type?: T;
};

export type TypeOf<C> = C extends Column<infer T> ? T : never;

/** Code-point order and exact equality, as SQLite has them: Azure SQL's default collation ignores case. */
export const KEY_COLLATION = 'Latin1_General_100_BIN2';

/** JSON and long text in a column; larger things are artifacts. UTF-16 code units. */
const LONG_TEXT = 64 * 1024;

function keyColumn<T>(length: number, values?: readonly string[]): Column<T> {
  return {
    form: 'key',
    tsql: `nvarchar(${length}) collate ${KEY_COLLATION}`,
    sqlite: 'text',
    maximumLength: length,
    nullable: false,
    values,
  };
}

/** A typed id: 29 characters, with room for a longer form. */
export const id = <K extends IdKind>(_kind: K): Column<Id<K>> => keyColumn(40);

/** `sha256:<hex>`, 71 characters. */
export const digest = (): Column<Digest> => keyColumn(71);

/** A short text that is compared or indexed, of at most `length` UTF-16 code units (an index key holds at most 850). */
export const name = <T extends string = string>(length: number): Column<T> => keyColumn<T>(length);

/** One of a closed list of words. */
export const oneOf = <T extends string>(values: readonly T[]): Column<T> => keyColumn<T>(32, values);

/** One of a machine's states. */
export const stateOf = <S extends string>(machine: { readonly table: { readonly [state in S]: unknown } }): Column<S> =>
  oneOf(Object.keys(machine.table) as S[]);

/** Text that is stored and shown, never compared. */
export const text = (maximumLength: number = LONG_TEXT): Column<string> => ({
  form: 'text',
  tsql: 'nvarchar(max)',
  sqlite: 'text',
  maximumLength,
  nullable: false,
});

/** JSON as text. */
export const json = (maximumLength: number = LONG_TEXT): Column<string> => ({
  form: 'json',
  tsql: 'nvarchar(max)',
  sqlite: 'text',
  maximumLength,
  nullable: false,
});

export const int = (): Column<number> => ({ form: 'int', tsql: 'int', sqlite: 'integer', nullable: false });
export const bigint = (): Column<number> => ({ form: 'bigint', tsql: 'bigint', sqlite: 'integer', nullable: false });

/** Milliseconds since the epoch. Never a date type: both dialects then agree to the millisecond. */
export const time = (): Column<number> => bigint();

/** 0 or 1. */
export const flag = (): Column<number> => ({ form: 'flag', tsql: 'int', sqlite: 'integer', nullable: false });

export const nullable = <T>(column: Column<T>): Column<T | null> => ({ ...column, nullable: true }) as Column<T | null>;
