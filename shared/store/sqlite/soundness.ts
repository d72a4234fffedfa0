import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** Up to this size every row is held against every index at a start, and up to the other one the pages' structure is looked through. */
const WHOLE_CHECK_BYTES = 32 * 1024 * 1024;
const QUICK_CHECK_BYTES = 1024 * 1024 * 1024;
const FAULTS_TOLD = 3;
const HEADER = 'SQLite format 3\0';
const HEADER_BYTES = 100;

/** SQLite's primary result codes SQLITE_CORRUPT, SQLITE_FORMAT and SQLITE_NOTADB. */
const DAMAGE_CODES = [11, 24, 26];

/** The file of a database is not what a database left there. Its message names the file, what is wrong, and the way out. */
export class DamagedDatabase extends Error {
  override name = 'DamagedDatabase';
  readonly code = 'FACTORY-STORE-DAMAGED';

  constructor(file: string, what: string, wayOut: string, options?: ErrorOptions) {
    super(`The database ${file} is damaged: ${what}. ${wayOut}`, options);
    // It is for whoever starts the plane: where in the program it was noticed tells them nothing.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** Whether an error of SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' && DAMAGE_CODES.includes(code & 0xff);
}

/**
 * What is wrong with the first bytes of a database file; undefined when nothing is, or when there is no file. An empty
 * file is told apart from a missing one: SQLite would begin a new database in either.
 */
export function headerFault(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return undefined;
    if (size < HEADER_BYTES) return `it has ${size} bytes, less than the header of a database`;
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(descriptor, header, 0, HEADER_BYTES, 0);
    if (header.toString('latin1', 0, HEADER.length) !== HEADER) return 'its first bytes are not those of a database';
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

export type Depth = 'start' | 'whole';

/**
 * What SQLite finds wrong with an open database, in its words; empty when nothing. At a `start` the effort is bounded by the size:
 * above 32 MiB indexes are not held against their tables, above 1 GiB nothing is looked through. The time is linear in the size.
 */
export function contentFaults(database: DatabaseSync, depth: Depth): readonly string[] {
  const bytes = pragma(database, 'page_count') * pragma(database, 'page_size');
  if (depth === 'start' && bytes > QUICK_CHECK_BYTES) return [];
  const check = depth === 'whole' || bytes <= WHOLE_CHECK_BYTES ? 'integrity_check' : 'quick_check';
  try {
    const rows = database.prepare(`pragma ${check}(${FAULTS_TOLD})`).all() as Record<string, unknown>[];
    return rows.map((row) => String(Object.values(row)[0])).filter((found) => found !== 'ok');
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [(error as Error).message];
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`pragma ${name}`).get()?.[name] ?? 0);
}
