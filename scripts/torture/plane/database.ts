import { DatabaseSync } from 'node:sqlite';

export type Row = Readonly<Record<string, string | number | null>>;

/** Looks at the plane's database past the plane, also while it runs. */
export function look(file: string, sql: string, ...parameters: (string | number)[]): Row[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    return database.prepare(sql).all(...parameters) as Row[];
  } finally {
    database.close();
  }
}
