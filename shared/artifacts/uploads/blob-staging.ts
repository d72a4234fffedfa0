import type { AppendBlobClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { z } from 'zod';
import { answeredCode, answeredStatus, asServiceRefusal } from '../../azure/azure-fault.ts';
import { type JobId, parseId, type UploadId } from '../../domain/ids.ts';
import { LIMITS } from '../../domain/limits.ts';
import { Refusal } from '../../domain/refusal.ts';
import { ARTIFACT_KINDS } from '../../jobs/protocol.ts';
import type { Announcement, Staging } from './staging.ts';

const stored: z.ZodType<Announcement> = z.strictObject({
  tenant: z.string(),
  job: z.string(),
  epoch: z.int().min(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().min(0),
  kind: z.enum(ARTIFACT_KINDS),
  mediaType: z.string().max(100),
  expiresAt: z.int(),
});

/** Bytes one append may carry; every version of the service takes this many. */
const APPEND = 4 * 1024 * 1024;
const NOTE = '.json';
const PART = '.part';
/** Metadata of a note that says when its upload expires: a sweep then lists, and reads nothing. */
const EXPIRES = 'expiresat';

const ifAbsent =
  <T>(value: T) =>
  (error: unknown): T => {
    if (answeredStatus(error) === 404) return value;
    throw error;
  };

/**
 * The blob driver: `<job>/<upload>.json` says what was announced, the append blob `<job>/<upload>.part` holds what came. Each append states
 * the length it expects, so of two writers at one offset the second changes nothing, and a request that the SDK repeats appends once.
 * The container's account must keep no versions and no deleted blobs: parts are not sealed yet.
 */
export function openBlobStaging(container: ContainerClient): Staging {
  const noteOf = (job: JobId, upload: UploadId): BlockBlobClient =>
    container.getBlockBlobClient(`${job}/${upload}${NOTE}`);
  const partOf = (job: JobId, upload: UploadId): AppendBlobClient =>
    container.getAppendBlobClient(`${job}/${upload}${PART}`);
  const guarded = async <T>(upload: string, step: () => Promise<T>): Promise<T> => {
    try {
      return await step();
    } catch (error) {
      throw asServiceRefusal(error, `Upload ${upload}`);
    }
  };

  const received = async (job: JobId, upload: UploadId): Promise<number> =>
    (await partOf(job, upload).getProperties().catch(ifAbsent(undefined)))?.contentLength ?? 0;

  async function remove(job: JobId, upload: UploadId): Promise<void> {
    await partOf(job, upload).deleteIfExists();
    await noteOf(job, upload).deleteIfExists();
  }

  /** Appends from `at` on. False when the part is not that long any more, or not there. */
  async function append(part: AppendBlobClient, at: number, bytes: Uint8Array): Promise<boolean> {
    for (let done = 0; done < bytes.byteLength; done += APPEND) {
      const piece = bytes.subarray(done, done + APPEND);
      try {
        await part.appendBlock(piece, piece.byteLength, { conditions: { appendPosition: at + done } });
      } catch (error) {
        if (answeredStatus(error) === 412) return false;
        throw error;
      }
    }
    return true;
  }

  return {
    remove: (job, upload) => guarded(upload, () => remove(job, upload)),
    received: (job, upload) => guarded(upload, () => received(job, upload)),
    begin: (upload, announced) =>
      guarded(upload, async () => {
        const text = Buffer.from(JSON.stringify(announced));
        await noteOf(announced.job as JobId, upload).upload(text, text.byteLength, {
          metadata: { [EXPIRES]: String(announced.expiresAt) },
        });
      }),
    announced: (job, upload) =>
      guarded(upload, async () => {
        const text = await noteOf(job, upload).downloadToBuffer().catch(ifAbsent(undefined));
        return text === undefined ? undefined : stored.parse(JSON.parse(text.toString('utf8')));
      }),
    countOfJob: (job) =>
      guarded(`of job ${job}`, async () => {
        let count = 0;
        for await (const { name } of container.listBlobsFlat({ prefix: `${job}/` })) if (name.endsWith(NOTE)) count++;
        return count;
      }),
    write: (job, upload, offset, chunk) =>
      guarded(upload, async () => {
        const part = partOf(job, upload);
        await part.createIfNotExists();
        const has = await received(job, upload);
        // What came before stays: when it was other bytes, the digest at the end says so.
        if (offset > has || offset + chunk.byteLength <= has) return has;
        try {
          const whole = await append(part, has, chunk.subarray(has - offset));
          return whole ? offset + chunk.byteLength : await received(job, upload);
        } catch (error) {
          if (answeredCode(error) !== 'BlockCountExceedsLimit') throw error;
          await remove(job, upload);
          throw tooManyChunks();
        }
      }),
    async *read(job, upload) {
      try {
        const answer = await partOf(job, upload)
          .download(0, undefined, { maxRetryRequests: 3 })
          .catch(ifAbsent(undefined));
        for await (const chunk of answer?.readableStreamBody ?? [])
          yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      } catch (error) {
        throw asServiceRefusal(error, `Upload ${upload}`);
      }
    },
    sweep: (now) =>
      guarded('sweep', async () => {
        let swept = 0;
        // In the order of names, so a note comes before its part.
        let noted = '';
        for await (const { name, metadata, properties } of container.listBlobsFlat({ includeMetadata: true })) {
          const [job, upload] = namesIn(name);
          if (job === undefined || upload === undefined) continue;
          if (name.endsWith(NOTE)) {
            noted = name.slice(0, -NOTE.length);
            if (Number(metadata?.[EXPIRES] ?? 0) > now) continue;
            await remove(job, upload);
            swept++;
          } else if (
            name.slice(0, -PART.length) !== noted &&
            properties.lastModified.getTime() < now - LIMITS.artifact.uploadMs
          )
            await container.getBlobClient(name).deleteIfExists();
        }
        return swept;
      }),
  };
}

function namesIn(name: string): readonly [JobId | undefined, UploadId | undefined] {
  const [directory = '', file = ''] = name.split('/');
  const stem = file.endsWith(NOTE) || file.endsWith(PART) ? file.slice(0, file.lastIndexOf('.')) : '';
  return [parseId('job', directory), parseId('upload', stem)];
}

/** An append blob takes 50,000 blocks, so chunks of a large artifact may not be tiny. */
const tooManyChunks = (): Refusal =>
  new Refusal(
    413,
    'FACTORY-ARTIFACT-TOO-LARGE',
    'The upload came in more chunks than are kept. Begin it again and send larger chunks; nothing was kept.',
  );
