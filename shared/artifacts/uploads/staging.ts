import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, opendir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type JobId, parseId, type UploadId } from '../../domain/ids.ts';
import { ARTIFACT_KINDS } from '../../jobs/protocol.ts';
import { asStorageRefusal, systemErrorCode } from '../storage-refusal.ts';

/** What was announced when an upload began. */
const announcement = z.strictObject({
  tenant: z.string(),
  job: z.string(),
  epoch: z.int().min(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  kind: z.enum(ARTIFACT_KINDS),
  mediaType: z.string().max(100),
  expiresAt: z.int(),
});
export type Announcement = z.infer<typeof announcement>;

/**
 * Where parts of unfinished uploads wait: a directory that only the plane's user can enter (0700). They are unsealed until their digest is proved, and
 * live for LIMITS.artifact.uploadMs at most. Nothing here is truth: a part that a power loss takes is asked for again by its offset.
 */
export type Staging = {
  /** Keeps the announcement; the same again is harmless. */
  begin(upload: UploadId, announced: Announcement): Promise<void>;
  announced(job: JobId, upload: UploadId): Promise<Announcement | undefined>;
  /** Uploads of a job that are not finished. */
  countOfJob(job: JobId): Promise<number>;
  /** Bytes received so far. */
  received(job: JobId, upload: UploadId): Promise<number>;
  /** Writes a chunk at its offset, which is at most `received`. Answers the bytes received so far. */
  write(job: JobId, upload: UploadId, offset: number, chunk: Uint8Array): Promise<number>;
  read(job: JobId, upload: UploadId): AsyncIterable<Uint8Array>;
  remove(job: JobId, upload: UploadId): Promise<void>;
  /** Removes what expired; answers how many uploads that were. */
  sweep(now: number): Promise<number>;
};

const ifAbsent =
  <T>(value: T) =>
  (error: unknown): T => {
    if (systemErrorCode(error) === 'ENOENT') return value;
    throw error;
  };

/** The file driver: a directory a job, in it `<upload>.json` and `<upload>.part`. */
export async function openStaging(directory: string): Promise<Staging> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const place = (job: JobId): string => join(directory, job);
  const part = (job: JobId, upload: UploadId): string => join(place(job), `${upload}.part`);
  const note = (job: JobId, upload: UploadId): string => join(place(job), `${upload}.json`);

  async function announced(job: JobId, upload: UploadId): Promise<Announcement | undefined> {
    const text = await readFile(note(job, upload), 'utf8').catch(ifAbsent(undefined));
    return text === undefined ? undefined : announcement.parse(JSON.parse(text));
  }

  async function remove(job: JobId, upload: UploadId): Promise<void> {
    await rm(part(job, upload), { force: true });
    await rm(note(job, upload), { force: true });
  }

  const received = (job: JobId, upload: UploadId): Promise<number> =>
    stat(part(job, upload)).then((found) => found.size, ifAbsent(0));

  return {
    announced,
    remove,
    received,
    async begin(upload, announcedNow) {
      const job = announcedNow.job as JobId;
      try {
        await mkdir(place(job), { recursive: true, mode: 0o700 });
        // Written aside and renamed: a reader never meets half an announcement.
        const temporary = join(place(job), `.${randomBytes(8).toString('hex')}`);
        await writeFile(temporary, JSON.stringify(announcedNow), { mode: 0o600 });
        await rename(temporary, note(job, upload));
      } catch (error) {
        throw asStorageRefusal(error, `Upload ${upload}`);
      }
    },
    async countOfJob(job) {
      let count = 0;
      const entries = await opendir(place(job)).catch(ifAbsent(undefined));
      if (entries !== undefined) for await (const entry of entries) if (entry.name.endsWith('.json')) count++;
      return count;
    },
    async write(job, upload, offset, chunk) {
      try {
        // 'a' would ignore the offset; 'r+' needs the file to be there.
        const handle = await open(part(job, upload), 'r+').catch(async (error: unknown) => {
          if (systemErrorCode(error) !== 'ENOENT') throw error;
          return open(part(job, upload), 'w+', 0o600);
        });
        try {
          for (let done = 0; done < chunk.byteLength; )
            done += (await handle.write(chunk, done, chunk.byteLength - done, offset + done)).bytesWritten;
        } finally {
          await handle.close();
        }
      } catch (error) {
        throw asStorageRefusal(error, `Upload ${upload}`);
      }
      return received(job, upload);
    },
    async *read(job, upload) {
      const file = await open(part(job, upload), 'r').catch(ifAbsent(undefined));
      if (file !== undefined) yield* createReadStream('', { fd: file, highWaterMark: 256 * 1024 });
    },
    async sweep(now) {
      let swept = 0;
      for await (const entry of await opendir(directory)) {
        const job = parseId('job', entry.name);
        if (job !== undefined) swept += await sweepJob(join(directory, job), job, now);
      }
      return swept;
    },
  };

  async function sweepJob(path: string, job: JobId, now: number): Promise<number> {
    let swept = 0;
    let left = 0;
    for await (const entry of await opendir(path)) {
      left++;
      const upload = entry.name.endsWith('.json') ? parseId('upload', entry.name.slice(0, -'.json'.length)) : undefined;
      if (upload === undefined) continue;
      const about = await announced(job, upload);
      if (about !== undefined && about.expiresAt > now) continue;
      await remove(job, upload);
      swept++;
    }
    // Only an empty directory can be removed; one that a new upload just entered stays.
    if (left === 0) await rm(path, { recursive: true, force: true });
    return swept;
  }
}
