import { appendFile, rename, rm, stat } from 'node:fs/promises';

export type RotatingFile = {
  /** Appends text, in the order of the calls. Rejects when the file can't be written; what follows is tried again. */
  append(text: string): Promise<void>;
};

/** A file that is renamed to `.1` when it would pass `bytes`, the one there to `.2`, and so on; at most `kept` renamed ones are kept. One process writes it. */
export function rotatingFile(file: string, { bytes, kept }: { bytes: number; kept: number }): RotatingFile {
  let size: number | undefined;
  let last: Promise<void> = Promise.resolve();
  const write = async (text: string): Promise<void> => {
    const length = Buffer.byteLength(text);
    size ??= await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size > 0 && size + length > bytes) {
      await rotate(file, kept);
      size = 0;
    }
    await appendFile(file, text, { mode: 0o600 });
    size += length;
  };
  return {
    append(text) {
      const next = last.then(() => write(text));
      last = next.catch(() => {
        size = undefined;
      });
      return next;
    },
  };
}

async function rotate(file: string, kept: number): Promise<void> {
  await rm(`${file}.${kept}`, { force: true });
  for (let at = kept - 1; at >= 0; at -= 1)
    await rename(at === 0 ? file : `${file}.${at}`, `${file}.${at + 1}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
}
