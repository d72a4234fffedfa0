import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const BUSY = 5;

/**
 * One process a data file. The lock is an operating-system lock that SQLite takes on a file of its own, so it ends with the
 * process however that ends: a pid file alone would survive a kill, and its pid may be someone else's by then.
 * Returns what releases it; throws when another process (or this one) has it.
 */
export function lockDataFile(file: string): () => void {
  const pidFile = `${file}-pid`;
  const lock = new DatabaseSync(`${file}-lock`, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== BUSY) throw error;
    throw new Error(
      `another process (pid ${holderOf(pidFile)}) has this data directory open: ${file}. Stop it first, or use another data directory.`,
    );
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return () => lock.close();
}

function holderOf(pidFile: string): string {
  try {
    return readFileSync(pidFile, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
