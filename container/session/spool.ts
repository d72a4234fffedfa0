import { createReadStream } from 'node:fs';
import { appendFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What came in parts and what goes out in parts, in files that only the agent can open. */
export type Spool = {
  /** Takes a part in at its offset; one that is there already changes nothing. Answers how much there is, or undefined where bytes before it are missing. */
  put(name: string, at: number, part: Buffer): Promise<number | undefined>;
  write(name: string, source: AsyncIterable<Buffer>): Promise<number>;
  size(name: string): Promise<number>;
  read(name: string): AsyncIterable<Buffer>;
  part(name: string, at: number, length: number): Promise<Buffer>;
  remove(name: string): Promise<void>;
};

export async function openSpool(): Promise<Spool> {
  // mkdtemp(3) makes it 0700.
  const directory = await mkdtemp(join(tmpdir(), 'session-'));
  const size = (name: string): Promise<number> =>
    stat(join(directory, name)).then(
      (found) => found.size,
      () => 0,
    );
  return {
    size,
    async put(name, at, part) {
      const had = await size(name);
      if (at > had) return undefined;
      if (at + part.length <= had) return had;
      await appendFile(join(directory, name), part.subarray(had - at));
      return at + part.length;
    },
    async write(name, source) {
      const file = await open(join(directory, name), 'w', 0o600);
      let bytes = 0;
      try {
        for await (const part of source) {
          await file.writeFile(part);
          bytes += part.length;
        }
      } finally {
        await file.close();
      }
      return bytes;
    },
    read: (name) => createReadStream(join(directory, name), { highWaterMark: 1024 * 1024 }),
    async part(name, at, length) {
      const file = await open(join(directory, name), 'r');
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    remove: (name) => rm(join(directory, name), { force: true }),
  };
}
