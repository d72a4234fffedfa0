import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type { Digest } from '../../domain/digest.ts';
import { ArtifactTampered } from '../tampered.ts';
import { FRAME_BYTES, HEADER, openFrame, TAG_BYTES } from './frame.ts';
import { slices } from './slices.ts';

export type Expected = {
  readonly tenant: string;
  readonly objectId: string;
  readonly digest: Digest;
  readonly size: number;
};

/** The header's bytes taken off the front, the rest passed on; throws when the header is not ours. */
async function* afterHeader(sealed: AsyncIterable<Uint8Array>, expected: Expected): AsyncGenerator<Uint8Array> {
  let head = Buffer.alloc(0);
  let open = false;
  for await (const chunk of sealed) {
    if (open) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.byteLength < HEADER.byteLength) continue;
    if (!head.subarray(0, HEADER.byteLength).equals(HEADER))
      throw new ArtifactTampered(
        expected.digest,
        expected.objectId,
        'format',
        'it does not begin as a sealed object does',
      );
    open = true;
    yield head.subarray(HEADER.byteLength);
  }
  if (!open) throw new ArtifactTampered(expected.digest, expected.objectId, 'truncated', 'it ends inside its header');
}

async function* frames(
  sealed: AsyncIterable<Uint8Array>,
  key: Uint8Array,
  expected: Expected,
): AsyncGenerator<Uint8Array> {
  let index = 0;
  for await (const slice of slices(afterHeader(sealed, expected), FRAME_BYTES + TAG_BYTES)) {
    const plain = openFrame(key, index, slice.bytes, expected, slice.last ? expected.digest : undefined);
    if (plain === undefined) {
      const part =
        slice.last && openFrame(key, index, slice.bytes, expected, undefined) !== undefined ? 'truncated' : 'frame';
      const because =
        part === 'truncated'
          ? `it ends after frame ${index}, which is not its last`
          : `frame ${index} is not the one that was sealed for this tenant, digest and object`;
      throw new ArtifactTampered(expected.digest, expected.objectId, part, because);
    }
    index++;
    yield plain;
  }
}

/**
 * Opens a sealed object. Yields plaintext as its frames prove authentic, and throws `ArtifactTampered` at the first fault; size and
 * digest of the whole are checked at the end, so what was read counts only when the stream ends without an error. Never yields more
 * than the expected size, whatever the compressed bytes would expand to.
 */
export async function* openSealed(
  sealed: AsyncIterable<Uint8Array>,
  key: Uint8Array,
  expected: Expected,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const expander = createZstdDecompress();
  // Errors reach the reader below through the expander.
  pipeline(Readable.from(frames(sealed, key, expected), { objectMode: false }), expander, () => {});
  let size = 0;
  try {
    for await (const chunk of expander as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > expected.size)
        throw new ArtifactTampered(
          expected.digest,
          expected.objectId,
          'size',
          `it holds more than its ${expected.size} bytes`,
        );
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ArtifactTampered || !isDecompressionError(error)) throw error;
    throw new ArtifactTampered(expected.digest, expected.objectId, 'content', 'its content does not decompress');
  } finally {
    expander.destroy();
  }
  if (size !== expected.size)
    throw new ArtifactTampered(
      expected.digest,
      expected.objectId,
      'size',
      `it holds ${size} of its ${expected.size} bytes`,
    );
  if (`sha256:${hash.digest('hex')}` !== expected.digest)
    throw new ArtifactTampered(expected.digest, expected.objectId, 'digest', 'its content has another digest');
}

const isDecompressionError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ZSTD_');
