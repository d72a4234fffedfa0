import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/** A file is renamed at this size, and so many renamed ones are kept: a process can't fill the disk with its log. */
const BYTES = 8 * 1024 * 1024;
const KEPT = 3;
/** How much of the end is remembered, to show it when the process fails. */
const TAIL_LINES = 15;
const TAIL_LINE_LENGTH = 2_000;

export type LogFile = {
  write(text: string): void;
  /** The last lines, oldest first. */
  tail(): readonly string[];
  close(): void;
};

export function openLogFile(file: string): LogFile {
  let descriptor = openSync(file, 'a', 0o600);
  let size = statSync(file).size;
  let tail: string[] = [];

  function rotate(): void {
    closeSync(descriptor);
    for (let index = KEPT - 1; index >= 1; index -= 1) renameIfThere(`${file}.${index}`, `${file}.${index + 1}`);
    renameIfThere(file, `${file}.1`);
    descriptor = openSync(file, 'a', 0o600);
    size = 0;
  }

  return {
    write(text) {
      if (size > BYTES) rotate();
      // A full disk must not end the supervisor: the processes say themselves what they can't do.
      try {
        size += writeSync(descriptor, text);
      } catch {}
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      tail = [...tail, ...lines.map((line) => line.slice(0, TAIL_LINE_LENGTH))].slice(-TAIL_LINES);
    },
    tail: () => tail,
    close: () => closeSync(descriptor),
  };
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
