import type { BoundStatement } from '../command.ts';
import type { Column } from '../schema/column.ts';
import type { StatementDefinition } from '../statement.ts';
import type { TediousModule, TediousRequest, TediousType } from './tedious-module.ts';

/** The longest nvarchar with a length of its own, in UTF-16 code units; a longer one is declared `nvarchar(max)`. */
const LONGEST = 4_000;

/**
 * Adds a statement's parameters, each with the type and the length of the column it is for. Of its value alone a text would be `nvarchar(its length)`, and the
 * server would keep a plan for every length met; as another type than the column's it would be converted row by row, past the index.
 */
export function addParameters(
  request: TediousRequest,
  types: TediousModule['TYPES'],
  definition: StatementDefinition,
  order: readonly string[],
  bound: BoundStatement<unknown>,
): void {
  order.forEach((parameter, at) => {
    const column = definition.parameters[parameter];
    if (column === undefined)
      throw new Error(`statement ${definition.name} uses the parameter ${parameter}, which it does not declare`);
    const { type, length } = typeOf(column, types);
    request.addParameter(
      String(at + 1),
      type,
      bound.parameters[parameter] ?? null,
      length === undefined ? {} : { length },
    );
  });
}

function typeOf(
  column: Column<unknown>,
  types: TediousModule['TYPES'],
): { readonly type: TediousType; readonly length?: number } {
  switch (column.form) {
    case 'int':
    case 'flag':
      return { type: types.Int };
    case 'bigint':
      return { type: types.BigInt };
    case 'key':
      return { type: types.NVarChar, length: Math.min(column.maximumLength ?? LONGEST, LONGEST) };
    case 'text':
    case 'json':
      return { type: types.NVarChar, length: LONGEST + 1 };
  }
}
