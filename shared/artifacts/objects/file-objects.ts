import { createReadStream } from 'node:fs';
import { mkdir, open, opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseId } from '../../domain/ids.ts';
import { crossing } from '../../telemetry/crash-point.ts';
import { systemErrorCode } from '../storage-refusal.ts';
import { TEMPORARY_SUFFIX, writeDurably } from './durable-file.ts';
import type { ObjectId, ObjectStore, StoredObject } from './object-store.ts';

/** A temporary file this old belongs to a process that died while it wrote. */
const LEFTOVER_MS = 60 * 60 * 1000;

const absent = (error: unknown): undefined => {
  if (systemErrorCode(error) === 'ENOENT') return undefined;
  throw error;
};

/**
 * The file driver: one 0600 file an object, in 1,024 subdirectories named by the last two characters of the id, which are
 * random (the first ones are the time: everything of a minute would share a directory).
 */
export async function openFileObjects(directory: string): Promise<ObjectStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const place = (id: ObjectId): string => join(directory, id.slice(-2), id);

  async function statObject(id: ObjectId): Promise<StoredObject | undefined> {
    const found = await stat(place(id)).catch(absent);
    return found === undefined ? undefined : { id, bytes: found.size, modifiedAt: found.mtimeMs };
  }

  return {
    put: (id, bytes) =>
      crossing('artifact.write', () => writeDurably(place(id), bytes, { mode: 0o600, what: `Object ${id}` })),
    async read(id) {
      const handle = await open(place(id), 'r').catch(absent);
      return handle === undefined ? undefined : createReadStream('', { fd: handle, highWaterMark: 256 * 1024 });
    },
    stat: statObject,
    delete: (id) => rm(place(id), { force: true }),
    async *list() {
      for await (const shard of await opendir(directory)) {
        if (!shard.isDirectory()) continue;
        for await (const entry of await opendir(join(directory, shard.name))) {
          const id = parseId('object', entry.name);
          if (id !== undefined) {
            const found = await statObject(id);
            if (found !== undefined) yield found;
          } else if (entry.name.endsWith(TEMPORARY_SUFFIX))
            await removeLeftover(join(directory, shard.name, entry.name));
        }
      }
    },
  };
}

async function removeLeftover(file: string): Promise<void> {
  const found = await stat(file).catch(absent);
  if (found !== undefined && found.mtimeMs < Date.now() - LEFTOVER_MS) await rm(file, { force: true });
}
