import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ArtifactReference } from '../protocol.ts';
import type { LeaseProof, PlaneCalls, PlaneRequest } from './plane-call.ts';
import { ArtifactCorrupt } from './plane-problem.ts';
import type { RetryBounds } from './retry.ts';

/** What an input may have whose reference was written before its size was known (size 0): packets and declarations. */
const UNKNOWN_SIZE_BYTES = 8 * 1024 * 1024;

type Wanted = Pick<ArtifactReference, 'digest' | 'size' | 'name'>;

const request = (lease: LeaseProof, wanted: Wanted): PlaneRequest => ({
  method: 'GET',
  path: `/jobs/${lease.job}/artifacts/${wanted.digest}`,
  lease,
});

/**
 * An input of the job in memory. The bytes are hashed on the way, and never more than the reference's size is read.
 *
 * @throws ArtifactCorrupt when they are not the bytes of the digest.
 */
export function downloadBytes(
  calls: PlaneCalls,
  lease: LeaseProof,
  wanted: Wanted,
  bounds: RetryBounds,
): Promise<Uint8Array> {
  return calls.stream(request(lease, wanted), bounds, async (answer) => {
    const chunks: Buffer[] = [];
    await pipeline(answer, verified(wanted), async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) chunks.push(chunk);
    });
    return Buffer.concat(chunks);
  });
}

/**
 * An input of the job in a new file, mode 0600. When the bytes are not those of the digest the file is removed again.
 *
 * @throws ArtifactCorrupt when they are not the bytes of the digest.
 */
export function downloadFile(
  calls: PlaneCalls,
  lease: LeaseProof,
  wanted: Wanted,
  file: string,
  bounds: RetryBounds,
): Promise<void> {
  return calls.stream(request(lease, wanted), bounds, async (answer: IncomingMessage) => {
    try {
      await pipeline(answer, verified(wanted), createWriteStream(file, { flags: 'w', mode: 0o600 }));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  });
}

/** Passes bytes on while hashing them; fails at the end, or as soon as there are more than announced. */
function verified(wanted: Wanted): Transform {
  const hash = createHash('sha256');
  const maximum = wanted.size === 0 ? UNKNOWN_SIZE_BYTES : wanted.size;
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > maximum)
        return done(
          new ArtifactCorrupt(
            `artifact ${wanted.name} (${wanted.digest}) is longer than the ${maximum} bytes its reference allows`,
          ),
        );
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const seen = `sha256:${hash.digest('hex')}`;
      done(
        seen === wanted.digest
          ? null
          : new ArtifactCorrupt(
              `artifact ${wanted.name} should be ${wanted.digest}, but the bytes received are ${seen} (${size} bytes)`,
            ),
      );
    },
  });
}
