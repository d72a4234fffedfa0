import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createZstdCompress, zstdCompress } from 'node:zlib';
import { type Digest, digestOfBytes } from '../../domain/digest.ts';
import { FRAME_BYTES, HEADER, type SealBinding, sealFrame } from './frame.ts';
import { slices } from './slices.ts';

const compressWhole = promisify(zstdCompress);

/** What the plaintext turned out to be, once it has all been read. */
export type Measured = { digest: Digest; size: number };

/** Thrown into a sealing stream whose plaintext is longer than it may be. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/**
 * Seals a stream: sha256 and size of the plaintext, zstd, frames. `measured` is filled when the last frame has been yielded;
 * memory stays within a few frames whatever the length. Throws `TooLong` past `maximumBytes` of plaintext.
 */
export async function* sealStream(
  plain: AsyncIterable<Uint8Array>,
  key: Uint8Array,
  binding: SealBinding,
  maximumBytes: number,
  measured: Partial<Measured>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of plain) {
      size += chunk.byteLength;
      if (size > maximumBytes) throw new TooLong(`more than ${maximumBytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  }
  const compressor = createZstdCompress();
  // Errors reach the reader below through the compressor; the callback is only there so that one before it starts reading is not unhandled.
  pipeline(Readable.from(counted(), { objectMode: false }), compressor, () => {});
  try {
    yield HEADER;
    let index = 0;
    for await (const slice of slices(compressor, FRAME_BYTES)) {
      if (slice.last) {
        measured.digest = `sha256:${hash.digest('hex')}` as Digest;
        measured.size = size;
      }
      yield sealFrame(key, index++, slice.bytes, binding, slice.last ? measured.digest : undefined);
    }
  } finally {
    compressor.destroy();
  }
}

/** Seals bytes that are in memory: the same form as `sealStream`, without the cost of its streams. */
export async function sealBytes(
  plain: Uint8Array,
  key: Uint8Array,
  binding: SealBinding,
): Promise<{ readonly parts: readonly Uint8Array[]; readonly digest: Digest }> {
  const digest = digestOfBytes(plain);
  const compressed = await compressWhole(plain);
  const parts: Uint8Array[] = [HEADER];
  for (let index = 0; ; index++) {
    const start = index * FRAME_BYTES;
    const last = start + FRAME_BYTES >= compressed.byteLength;
    parts.push(
      sealFrame(key, index, compressed.subarray(start, start + FRAME_BYTES), binding, last ? digest : undefined),
    );
    if (last) return { parts, digest };
  }
}
