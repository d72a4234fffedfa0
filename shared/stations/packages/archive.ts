import { type FileHandle, open } from 'node:fs/promises';

/**
 * A tar archive of regular files (POSIX.1-1988 ustar) that is the same bytes for the same files: names in order, no times, no
 * owners. Names are at most 100 bytes, so that no extension is needed.
 */
const block = 512;
const nameBytes = 100;

export type ArchiveWriter = {
  add(name: string, bytes: Uint8Array): Promise<void>;
  /** Writes the end of the archive and closes the file. */
  close(): Promise<void>;
};

/** Opens a new archive; the caller adds files in the order of their names. */
export async function writeArchive(file: string): Promise<ArchiveWriter> {
  const handle = await open(file, 'wx', 0o600);
  return {
    add: async (name, bytes) => {
      await handle.writeFile(header(name, bytes.byteLength));
      await handle.writeFile(bytes);
      await handle.writeFile(Buffer.alloc(padding(bytes.byteLength)));
    },
    close: async () => {
      await handle.writeFile(Buffer.alloc(2 * block));
      await handle.close();
    },
  };
}

function header(name: string, size: number): Buffer {
  const bytes = Buffer.alloc(block);
  if (Buffer.byteLength(name) > nameBytes) throw new TypeError(`${name} is longer than a name in this archive`);
  bytes.write(name, 0);
  bytes.write('0000644\0', 100);
  bytes.write('0000000\0', 108);
  bytes.write('0000000\0', 116);
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  bytes.write('00000000000\0', 136);
  bytes.write('        ', 148);
  bytes.write('0', 156);
  bytes.write('ustar\x0000', 257);
  bytes.write(`${checksum(bytes).toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

const padding = (size: number): number => (block - (size % block)) % block;

function checksum(header: Buffer): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}

export class ArchiveMalformed extends Error {
  override readonly name = 'ArchiveMalformed';
}

export type ArchivedFile = { readonly name: string; readonly bytes: Buffer };

/** The files of an archive this module wrote, one in memory at a time. Anything else in it throws {@link ArchiveMalformed}. */
export async function* readArchive(
  file: string,
  limits: { readonly fileBytes: number; readonly totalBytes: number },
): AsyncGenerator<ArchivedFile> {
  const handle = await open(file, 'r');
  try {
    let total = 0;
    for (let at = 0; ; ) {
      const head = await readExactly(handle, at, block);
      at += block;
      if (head.every((byte) => byte === 0)) return;
      const { name, size } = parseHeader(head);
      total += size;
      if (size > limits.fileBytes || total > limits.totalBytes)
        throw new ArchiveMalformed(`${name} is larger than the archive may hold`);
      yield { name, bytes: await readExactly(handle, at, size) };
      at += size + padding(size);
    }
  } finally {
    await handle.close();
  }
}

function parseHeader(head: Buffer): { name: string; size: number } {
  const field = (from: number, length: number): string =>
    head.toString('latin1', from, from + length).split('\0')[0] ?? '';
  const name = field(0, nameBytes);
  const size = field(124, 12);
  const intact = Number.parseInt(field(148, 8), 8) === checksum(head) && field(257, 6) === 'ustar';
  const regular = field(156, 1) === '0' && field(345, 155) === '';
  if (!intact || !regular || !/^[0-7]{11}$/.test(size) || name === '')
    throw new ArchiveMalformed('the archive has an entry that is not a plain file of ustar form');
  return { name, size: Number.parseInt(size, 8) };
}

async function readExactly(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead !== length) throw new ArchiveMalformed('the archive breaks off');
  return buffer;
}
