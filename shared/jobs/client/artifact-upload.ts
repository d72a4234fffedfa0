import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { LIMITS } from '../../domain/limits.ts';
import type { ArtifactKind } from '../protocol.ts';
import type { LeaseProof, PlaneCalls } from './plane-call.ts';
import { PlaneProblem } from './plane-problem.ts';
import { isWorthRepeating, once, type RetryBounds, withRetries } from './retry.ts';

/** What is uploaded: bytes in memory, or a file that nobody writes to any more. */
export type Content = { readonly bytes: Uint8Array } | { readonly file: string };
export type Upload = { readonly kind: ArtifactKind; readonly mediaType: string; readonly content: Content };
export type Uploaded = { readonly digest: string; readonly size: number };

const begun = z.object({ upload: z.string().min(1).max(128), offset: z.int().min(0) });
const progress = z.object({ offset: z.int().min(0), complete: z.boolean() });

/**
 * Uploads under the job's lease, in chunks. A chunk whose answer was lost is not sent blindly again: the plane is asked
 * how far it got. The plane checks the digest; what it already has costs one call.
 *
 * @throws PlaneProblem 413 when the content is larger than LIMITS.artifact.bytes.
 */
export async function uploadArtifact(
  calls: PlaneCalls,
  lease: LeaseProof,
  upload: Upload,
  bounds: RetryBounds,
): Promise<Uploaded> {
  const source = await openContent(upload.content);
  try {
    if (source.size > LIMITS.artifact.bytes) {
      throw new PlaneProblem(
        413,
        'FACTORY-ARTIFACT-TOO-LARGE',
        `An artifact of kind ${upload.kind} has ${source.size} bytes, more than the ${LIMITS.artifact.bytes} an artifact may have.`,
      );
    }
    const digest = await source.digest();
    const path = `/jobs/${lease.job}/uploads`;
    const start = await calls.json(
      {
        method: 'POST',
        path,
        lease,
        json: { kind: upload.kind, mediaType: upload.mediaType, size: source.size, digest },
      },
      bounds,
    );
    const { upload: id, offset } = begun.parse(start.body);
    await sendChunks(calls, lease, `${path}/${encodeURIComponent(id)}`, source, offset, bounds);
    return { digest, size: source.size };
  } finally {
    await source.close();
  }
}

async function sendChunks(
  calls: PlaneCalls,
  lease: LeaseProof,
  path: string,
  source: OpenContent,
  from: number,
  bounds: RetryBounds,
): Promise<void> {
  const ask = async () => progress.parse((await calls.json({ method: 'GET', path, lease }, bounds)).body);
  // An offset at the end (nothing to send, or everything was there) still leaves open whether the plane has sealed it.
  let state = from > 0 && from === source.size ? await ask() : { offset: from, complete: false };
  while (!state.complete) {
    const chunk = await source.read(state.offset, Math.min(LIMITS.artifact.chunkBytes, source.size - state.offset));
    const before = state.offset;
    state = await withRetries(`PUT ${path}`, bounds, calls.now, async (attempt) => {
      if (attempt > 0) {
        const seen = await ask();
        if (seen.offset !== before || seen.complete) return seen;
      }
      const answer = await calls
        .json(
          { method: 'PUT', path: `${path}?offset=${before}`, lease, bytes: chunk },
          { ...once, signal: bounds.signal },
        )
        .catch((error: unknown) => {
          if (isConflict(error)) return undefined;
          throw error;
        });
      return answer === undefined ? ask() : progress.parse(answer.body);
    });
    if (!state.complete && state.offset <= before && chunk.length > 0) {
      throw new PlaneProblem(
        409,
        'FACTORY-UPLOAD-STUCK',
        `The upload ${path} stands at byte ${state.offset} after a chunk from ${before} was taken; it was given up rather than sent for ever.`,
      );
    }
    if (!state.complete && state.offset >= source.size && chunk.length === 0) {
      throw new PlaneProblem(
        409,
        'FACTORY-UPLOAD-STUCK',
        `The upload ${path} has all ${source.size} bytes and was still not sealed by the plane.`,
      );
    }
  }
}

/** The plane stands at another offset than we believed: ask it. A lost lease is no such conflict. */
const isConflict = (error: unknown): boolean =>
  error instanceof PlaneProblem &&
  error.status === 409 &&
  error.code !== 'FACTORY-LEASE-LOST' &&
  !isWorthRepeating(error);

type OpenContent = {
  readonly size: number;
  digest(): Promise<string>;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
};

async function openContent(content: Content): Promise<OpenContent> {
  if ('bytes' in content) {
    const { bytes } = content;
    return {
      size: bytes.length,
      digest: async () => `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => undefined,
    };
  }
  const file = await open(content.file, 'r');
  const { size } = await file.stat();
  return {
    size,
    digest: () => digestOfFile(content.file),
    read: (offset, length) => readExactly(file, content.file, offset, length),
    close: () => file.close(),
  };
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

async function readExactly(file: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new Error(`${path} became shorter while it was uploaded`);
    filled += bytesRead;
  }
  return buffer;
}
