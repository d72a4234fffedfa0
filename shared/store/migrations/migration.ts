import { readFileSync } from 'node:fs';
import type { Dialect } from '../schema/ddl.ts';

/** One forward step of the schema. Numbers are consecutive; a step that was released is never changed, only followed by another. */
export type Migration = {
  readonly number: number;
  readonly name: string;
  /** Whether the program of the release before can't work on the schema after it: such a deployment stops the old one first. */
  readonly breaking: boolean;
  /** The statements, in order; all of them in one transaction. */
  statements(dialect: Dialect): readonly string[];
};

/** Between two statements of a file, and of the text whose digest a database records. No statement has it inside. */
export const BETWEEN = ';\n';

/**
 * A migration whose text is the files' alone: no descriptor of today can change what a step of a former release does or what its digest is. Reads the
 * files at once, so that a package without them fails when it starts and not in the middle of an upgrade.
 */
export function frozenMigration(step: {
  readonly number: number;
  readonly name: string;
  readonly breaking: boolean;
  readonly files: Readonly<Record<Dialect, URL>>;
}): Migration {
  const { number, name, breaking, files } = step;
  const text = { sqlite: statementsIn(files.sqlite), 'azure-sql': statementsIn(files['azure-sql']) };
  return { number, name, breaking, statements: (dialect) => text[dialect] };
}

function statementsIn(file: URL): readonly string[] {
  const text = readFileSync(file, 'utf8');
  if (!text.endsWith(BETWEEN)) throw new Error(`the migration ${file.pathname} does not end with ";" and a line break`);
  return text.slice(0, -BETWEEN.length).split(BETWEEN);
}
