import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../../domain/digest.ts';
import type { JobId, UploadId } from '../../domain/ids.ts';
import { LIMITS } from '../../domain/limits.ts';
import { notFound, Refusal } from '../../domain/refusal.ts';
import type { ArtifactKind } from '../../jobs/protocol.ts';
import { insertUpload, readUpload } from '../../store/artifacts/uploads.ts';
import { type Command, one, write } from '../../store/command.ts';
import type { ArtifactParts, Artifacts, SealedArtifact } from '../artifacts.ts';
import { derivedId } from '../derived-id.ts';
import type { Staging } from './staging.ts';

/** Under which lease something is uploaded. */
export type UploadLease = {
  readonly job: JobId;
  readonly epoch: number;
  /** Run first in the transaction that records the upload: throws (`leaseLost`) when the lease is no longer current. */
  readonly guard: () => Command<void>;
};
export type UploadAnnouncement = {
  readonly digest: Digest;
  readonly size: number;
  readonly kind: ArtifactKind;
  readonly mediaType: string;
};
/** An upload whose bytes are sealed and which is not recorded yet. */
export type SealedUpload = {
  readonly row: Parameters<typeof insertUpload>[0];
  readonly artifact: SealedArtifact;
};
export type UploadState = { readonly upload: UploadId; readonly offset: number; readonly complete: boolean };

export type Uploads = {
  /** Begins, or finds again, the upload of these bytes under this job and epoch. Costs no commit. 422 over the limits. */
  begin(lease: UploadLease, announced: UploadAnnouncement): Promise<UploadState>;
  /** Where it stands. 404 when this job and epoch have no such upload. */
  state(lease: Pick<UploadLease, 'job' | 'epoch'>, upload: UploadId): Promise<UploadState>;
  /**
   * Takes a chunk of at most LIMITS.artifact.chunkBytes. A chunk that was received before is harmless; one that would leave a hole is refused with 409
   * `FACTORY-UPLOAD-OFFSET`. The last one seals the artifact and records it: 422 `FACTORY-DIGEST-MISMATCH` when the bytes are not the announced ones,
   * and the upload starts over. Known or not, the bytes are received and sealed alike, so nobody learns who else has them.
   */
  append(lease: UploadLease, upload: UploadId, offset: number, chunk: Uint8Array): Promise<UploadState>;
  /**
   * Seals bytes that came whole with the call that also records them: `seal`, then in the transaction, after it checked the lease,
   * `record`, then `settle` with what that answered. 422 `FACTORY-DIGEST-MISMATCH` when they are not the announced ones.
   */
  seal(
    lease: Pick<UploadLease, 'job' | 'epoch'>,
    announced: UploadAnnouncement,
    bytes: Uint8Array,
  ): Promise<SealedUpload>;
  /** Part of a transaction: the artifact's row and the upload's, where absent. Answers whether this object counts. */
  record(sealed: SealedUpload): Command<boolean>;
  /** Removes the object of bytes that were known already, or whose transaction was refused. */
  settle(sealed: SealedUpload, counts: boolean): Promise<void>;
};

/** An upload's id follows from what it is, so that beginning twice needs no record of the first. Its time part is the job's. */
function uploadIdOf(job: JobId, epoch: number, announced: UploadAnnouncement): UploadId {
  const bytes = createHash('sha256')
    .update(JSON.stringify([job, epoch, announced.digest, announced.kind]))
    .digest();
  return derivedId('upload', 'upl', Number.parseInt(job.slice(4, 13), 36), bytes);
}

const MISMATCH = 'FACTORY-DIGEST-MISMATCH';
const isMismatch = (error: unknown): boolean => error instanceof Refusal && error.code === MISMATCH;
const mismatch = (upload: UploadId, announced: UploadAnnouncement, because: string): Refusal =>
  new Refusal(
    422,
    MISMATCH,
    `The upload ${upload} is not what was announced (${announced.digest}, ${announced.size} bytes): ${because}. Begin it again with the digest of the bytes you send; nothing was kept.`,
  );

export function createUploads(
  parts: ArtifactParts & { readonly artifacts: Artifacts; readonly staging: Staging },
): Uploads {
  const { store, tenantId, artifacts, staging, now = Date.now } = parts;

  /** An upload that was recorded: under this job and epoch, or it does not exist for the caller. */
  async function finished(job: JobId, epoch: number, upload: UploadId): Promise<UploadState | undefined> {
    const row = await store.read('uploads.read', () => one(readUpload({ tenant: tenantId, upload })));
    return row !== undefined && row.job_id === job && row.epoch === epoch
      ? { upload, offset: row.size, complete: true }
      : undefined;
  }

  async function announcedOf(job: JobId, epoch: number, upload: UploadId): Promise<UploadAnnouncement | undefined> {
    const found = await staging.announced(job, upload);
    const digest = found === undefined ? undefined : parseDigest(found.digest);
    if (
      found === undefined ||
      digest === undefined ||
      found.tenant !== tenantId ||
      found.epoch !== epoch ||
      found.expiresAt <= now()
    )
      return undefined;
    return { digest, size: found.size, kind: found.kind, mediaType: found.mediaType };
  }

  async function seal(
    { job, epoch }: Pick<UploadLease, 'job' | 'epoch'>,
    announced: UploadAnnouncement,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<SealedUpload> {
    const { digest, size, kind, mediaType } = announced;
    const id = uploadIdOf(job, epoch, announced);
    const artifact = await artifacts.seal(bytes, { mediaType, kind });
    if (artifact.row.digest !== digest || artifact.row.size !== size) {
      await artifacts.settle(artifact, false);
      throw mismatch(id, announced, `it is ${artifact.row.digest}, ${artifact.row.size} bytes`);
    }
    const at = Math.floor(now());
    return {
      artifact,
      row: {
        id,
        tenant_id: tenantId,
        job_id: job,
        epoch,
        digest,
        kind,
        media_type: mediaType,
        size,
        received: size,
        object_id: artifact.row.object_id,
        state: 'complete',
        created_at: at,
        expires_at: at + LIMITS.artifact.uploadMs,
      },
    };
  }

  function* record({ row, artifact }: SealedUpload): Command<boolean> {
    const first = yield* artifacts.record(artifact);
    yield* write(insertUpload(row));
    return first;
  }

  const settle = ({ artifact }: SealedUpload, counts: boolean): Promise<void> => artifacts.settle(artifact, counts);

  async function finish(
    lease: UploadLease,
    upload: UploadId,
    announced: UploadAnnouncement,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<UploadState> {
    const { job } = lease;
    const sealed = await seal(lease, announced, bytes).catch(async (error: unknown) => {
      if (isMismatch(error)) await staging.remove(job, upload);
      throw error;
    });
    const counts = await store
      .run('uploads.finish', function* () {
        yield* lease.guard();
        return yield* record(sealed);
      })
      .catch(async (error: unknown) => {
        // A known failure: nothing refers to the object. After an unknown one (a crash) the collector takes it.
        if (error instanceof Refusal && error.status !== 503) await settle(sealed, false);
        throw error;
      });
    await settle(sealed, counts);
    await staging.remove(job, upload);
    return { upload, offset: announced.size, complete: true };
  }

  return {
    seal,
    record,
    settle,
    async begin(lease, announced) {
      const { job, epoch } = lease;
      if (announced.size > LIMITS.artifact.bytes) {
        throw new Refusal(
          422,
          'FACTORY-ARTIFACT-TOO-LARGE',
          `The artifact has ${announced.size} bytes; at most ${LIMITS.artifact.bytes} are taken. Split it; nothing was kept.`,
        );
      }
      const upload = uploadIdOf(job, epoch, announced);
      const done = await finished(job, epoch, upload);
      if (done !== undefined) return done;
      if ((await announcedOf(job, epoch, upload)) === undefined) {
        if ((await staging.countOfJob(job)) >= LIMITS.artifact.uploadsPerJob) {
          throw new Refusal(
            429,
            'FACTORY-UPLOADS-EXCEEDED',
            `Job ${job} has ${LIMITS.artifact.uploadsPerJob} uploads that are not finished, the most it may have. Finish some before beginning others.`,
          );
        }
        await staging.begin(upload, {
          ...announced,
          tenant: tenantId,
          job,
          epoch,
          expiresAt: Math.floor(now()) + LIMITS.artifact.uploadMs,
        });
      }
      const offset = await staging.received(job, upload);
      // Nothing will be sent for no bytes, and nothing more for bytes that all arrived before the process died.
      if (offset >= announced.size) return finish(lease, upload, announced, staging.read(job, upload));
      return { upload, offset, complete: false };
    },

    async state({ job, epoch }, upload) {
      const announced = await announcedOf(job, epoch, upload);
      if (announced !== undefined) return { upload, offset: await staging.received(job, upload), complete: false };
      const done = await finished(job, epoch, upload);
      if (done === undefined) throw notFound(`Upload ${upload}`);
      return done;
    },

    async append(lease, upload, offset, chunk) {
      const { job, epoch } = lease;
      const announced = await announcedOf(job, epoch, upload);
      if (announced === undefined) {
        const done = await finished(job, epoch, upload);
        if (done === undefined) throw notFound(`Upload ${upload}`);
        return done;
      }
      if (chunk.byteLength > LIMITS.artifact.chunkBytes)
        throw new Refusal(
          413,
          'FACTORY-ARTIFACT-TOO-LARGE',
          `A chunk has ${chunk.byteLength} bytes; at most ${LIMITS.artifact.chunkBytes} are taken at once. Send smaller chunks.`,
        );
      const received = await staging.received(job, upload);
      if (offset > received || offset < 0) {
        throw new Refusal(
          409,
          'FACTORY-UPLOAD-OFFSET',
          `The upload ${upload} has its first ${received} bytes; a chunk at ${offset} would leave a hole. Continue at offset ${received}.`,
          {
            details: [{ pointer: '/offset', code: 'expected', message: String(received) }],
          },
        );
      }
      if (offset + chunk.byteLength > announced.size) {
        await staging.remove(job, upload);
        throw mismatch(upload, announced, `its chunk ends at byte ${offset + chunk.byteLength}`);
      }
      // Most artifacts fit in one chunk: sealed from memory, they never wait on the disk unsealed.
      if (offset === 0 && chunk.byteLength === announced.size) return finish(lease, upload, announced, chunk);
      const now = offset + chunk.byteLength <= received ? received : await staging.write(job, upload, offset, chunk);
      return now < announced.size
        ? { upload, offset: now, complete: false }
        : finish(lease, upload, announced, staging.read(job, upload));
    },
  };
}
