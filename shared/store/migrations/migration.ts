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
