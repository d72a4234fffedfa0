import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asStorageRefusal } from '../storage-refusal.ts';

/** Name pattern of a file that is still being written; whoever sweeps the directory may remove old ones. */
export const TEMPORARY_SUFFIX = '.partial';

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file whole or not at all: temporary name, fsync, then its final name, then fsync of the directory (without the last
 * a power loss may forget the name). `exclusive` throws EEXIST when the name is taken; otherwise the file is replaced. Answers the bytes written.
 */
export async function writeDurably(
  file: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { mode: number; exclusive?: boolean; what: string },
): Promise<number> {
  const directory = dirname(file);
  const temporary = join(directory, `.${randomBytes(8).toString('hex')}${TEMPORARY_SUFFIX}`);
  let written = 0;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const handle = await open(temporary, 'wx', options.mode);
    try {
      for await (const chunk of bytes) {
        await handle.writeFile(chunk);
        written += chunk.byteLength;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    // A hard link refuses a taken name; rename would silently replace it.
    if (options.exclusive === true) await link(temporary, file);
    else await rename(temporary, file);
    if (options.exclusive === true) await rm(temporary, { force: true });
    await syncDirectory(directory);
    return written;
  } catch (error) {
    await rm(temporary, { force: true });
    throw asStorageRefusal(error, options.what);
  }
}
