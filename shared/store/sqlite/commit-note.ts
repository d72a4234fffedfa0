import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';

/**
 * How many commits were made in a database, noted beside it after each of them and before anybody is told. Not synced: what a
 * power cut takes from it, the database has. So a database with fewer commits than noted has lost some (its write-ahead log
 * was cut or removed), which SQLite itself takes for an older state and opens without a word.
 */
export type CommitNote = {
  /** Commits noted of this very file; 0 when none are, or when another file was put in its place since. */
  readonly seen: number;
  /** Notes from now on, for the file that is there now. */
  begin(): void;
  write(commits: number): void;
  close(): void;
};

export function openCommitNote(file: string): CommitNote {
  if (file === ':memory:') return { seen: 0, begin: () => undefined, write: () => undefined, close: () => undefined };
  const noteFile = `${file}-seen`;
  const [owner, count] = read(noteFile).split(' ');
  const seen = owner === identityOf(file) ? Number(count) : 0;
  let descriptor: number | undefined;
  let identity = '';
  return {
    seen: Number.isSafeInteger(seen) ? seen : 0,
    begin() {
      identity = identityOf(file);
      descriptor = openSync(noteFile, 'a', 0o600);
      closeSync(descriptor);
      descriptor = openSync(noteFile, 'r+');
    },
    write(commits) {
      if (descriptor === undefined) return;
      // A full disk is told by the database; the note is only as good as it can be.
      try {
        const text = `${identity} ${commits}\n`;
        writeSync(descriptor, text, 0);
        ftruncateSync(descriptor, Buffer.byteLength(text));
      } catch {}
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Names a file as long as it is the same one: a copy of it, or a backup put in its place, is another. */
function identityOf(file: string): string {
  try {
    const { ino, birthtimeNs } = statSync(file, { bigint: true });
    return `${ino}.${birthtimeNs}`;
  } catch {
    return '';
  }
}
