import { Refusal } from '../domain/refusal.ts';
import type { SqlValue } from './command.ts';
import type { Column } from './schema/column.ts';

/**
 * Checks a value against the column it is for, before any database sees it, so that both dialects accept and refuse the same:
 * SQL Server would cut a long parameter silently, compare without trailing spaces and store what SQLite would replace.
 * Throws a `Refusal` 422 `FACTORY-TEXT-REFUSED` for text that can't be stored as it is, and an error for a wrong type.
 */
export function checked(statement: string, parameter: string, column: Column<unknown>, value: unknown): SqlValue {
  if (value === null || value === undefined) {
    if (column.nullable && value === null) return null;
    throw new Error(`statement ${statement}: parameter ${parameter} has no value, and can't be null`);
  }
  if (typeof value === 'number') {
    const wrong =
      column.sqlite !== 'integer' ||
      !Number.isSafeInteger(value) ||
      (column.form === 'int' && Math.abs(value) > 2_147_483_647);
    if (wrong)
      throw new Error(
        `statement ${statement}: parameter ${parameter} is ${value}, which a ${column.form} column can't hold`,
      );
    return value;
  }
  if (typeof value !== 'string' || column.sqlite !== 'text') {
    throw new Error(
      `statement ${statement}: parameter ${parameter} is a ${typeof value}, which a ${column.form} column can't hold`,
    );
  }
  const refused = (why: string): Refusal =>
    new Refusal(
      422,
      'FACTORY-TEXT-REFUSED',
      `The text for "${parameter}" ${why}. Correct it and call again; nothing was changed.`,
    );
  if (column.maximumLength !== undefined && value.length > column.maximumLength) {
    throw refused(`has ${value.length} characters, and at most ${column.maximumLength} are stored`);
  }
  if (value.includes('\u0000')) throw refused('holds a NUL character');
  if (!value.isWellFormed()) throw refused('holds half of a surrogate pair, which is not a character');
  if (column.form === 'key' && value.endsWith(' '))
    throw refused('ends in a space, where a database may not tell it from the same text without one');
  return value;
}
