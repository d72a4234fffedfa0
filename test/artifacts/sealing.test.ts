import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FRAME_BYTES, HEADER, TAG_BYTES } from '../../shared/artifacts/sealing/frame.ts';
import { openSealed } from '../../shared/artifacts/sealing/open.ts';
import { type Measured, sealBytes, sealStream, TooLong } from '../../shared/artifacts/sealing/seal.ts';
import { slices } from '../../shared/artifacts/sealing/slices.ts';
import { ArtifactTampered, type TamperedPart } from '../../shared/artifacts/tampered.ts';
import { type Digest, digestOfBytes } from '../../shared/domain/digest.ts';
import { collected, inChunks } from './place.ts';

const key = randomBytes(32);
const binding = { tenant: 'ten_a', objectId: 'obj_a' };
const FRAME = FRAME_BYTES + TAG_BYTES;

async function sealed(plain: Uint8Array, as = binding): Promise<Buffer> {
  return Buffer.concat([...(await sealBytes(plain, key, as)).parts]);
}

async function opened(
  bytes: Uint8Array,
  plain: Uint8Array,
  change: Partial<{ tenant: string; objectId: string; digest: Digest; size: number; key: Uint8Array }> = {},
): Promise<Buffer> {
  const { key: with_ = key, ...rest } = change;
  return collected(
    openSealed(inChunks(bytes, 10_000), with_, {
      ...binding,
      digest: digestOfBytes(plain),
      size: plain.byteLength,
      ...rest,
    }),
  );
}

async function refusedPart(attempt: Promise<unknown>): Promise<TamperedPart | 'opened'> {
  try {
    await attempt;
    return 'opened';
  } catch (error) {
    if (error instanceof ArtifactTampered) return error.part;
    throw error;
  }
}

describe('sealing', () => {
  // Random bytes do not compress, so these lengths are near the frame boundaries inside too.
  it.each([
    0,
    1,
    100,
    FRAME_BYTES - 20,
    FRAME_BYTES - 13,
    FRAME_BYTES - 12,
    FRAME_BYTES - 11,
    FRAME_BYTES,
    FRAME_BYTES + 1,
    2 * FRAME_BYTES - 20,
    3 * FRAME_BYTES,
  ])('gives back %i bytes, sealed whole or as a stream', async (length) => {
    const plain = randomBytes(length);
    expect((await opened(await sealed(plain), plain)).equals(plain)).toBe(true);

    const measured: Partial<Measured> = {};
    const streamed = await collected(sealStream(inChunks(plain, 7_777), key, binding, length, measured));
    expect(measured).toEqual({ digest: digestOfBytes(plain), size: length });
    expect((await opened(streamed, plain)).equals(plain)).toBe(true);
  });

  it('cuts any chunks into full slices of which only the last is marked, also when the end is on a boundary', async () => {
    for (const length of [0, 1, 9, 10, 11, 20, 25, 30]) {
      for (const chunk of [1, 3, 10, 100]) {
        const found = [];
        for await (const slice of slices(inChunks(randomBytes(length), chunk), 10)) found.push(slice);
        const expected = Math.max(1, Math.ceil(length / 10));
        expect(found.map((slice) => slice.last)).toEqual(
          Array.from({ length: expected }, (_, index) => index === expected - 1),
        );
        expect(found.map((slice) => slice.bytes.byteLength)).toEqual(
          Array.from({ length: expected }, (_, index) => Math.min(10, length - index * 10)),
        );
      }
    }
  });

  it('refuses a flipped bit in every region', async () => {
    const plain = randomBytes(2 * FRAME_BYTES + 500);
    const whole = await sealed(plain);
    const places = [
      0,
      HEADER.byteLength - 1,
      HEADER.byteLength,
      HEADER.byteLength + 1_000,
      HEADER.byteLength + FRAME_BYTES,
      HEADER.byteLength + FRAME - 1,
      HEADER.byteLength + FRAME,
      whole.byteLength - TAG_BYTES - 1,
      whole.byteLength - 1,
    ];
    for (const at of places) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 1;
      expect(await refusedPart(opened(changed, plain)), `byte ${at}`).toBe(at < HEADER.byteLength ? 'format' : 'frame');
    }
  });

  it('refuses every cut: inside the header, inside a frame, and exactly between frames', async () => {
    const plain = randomBytes(2 * FRAME_BYTES + 500);
    const whole = await sealed(plain);
    expect(await refusedPart(opened(whole.subarray(0, 0), plain))).toBe('truncated');
    expect(await refusedPart(opened(whole.subarray(0, 5), plain))).toBe('truncated');
    expect(await refusedPart(opened(whole.subarray(0, HEADER.byteLength), plain))).toBe('frame');
    expect(await refusedPart(opened(whole.subarray(0, whole.byteLength - 1), plain))).toBe('frame');
    expect(await refusedPart(opened(whole.subarray(0, HEADER.byteLength + FRAME), plain))).toBe('truncated');
    expect(await refusedPart(opened(whole.subarray(0, HEADER.byteLength + 2 * FRAME), plain))).toBe('truncated');
  });

  it('refuses frames that were exchanged, doubled, removed or added', async () => {
    const plain = randomBytes(3 * FRAME_BYTES);
    const whole = await sealed(plain);
    const header = whole.subarray(0, HEADER.byteLength);
    const frames = [0, 1, 2, 3].map((index) =>
      whole.subarray(HEADER.byteLength + index * FRAME, HEADER.byteLength + (index + 1) * FRAME),
    );
    const [first, second, third, last] = frames as [Buffer, Buffer, Buffer, Buffer];
    for (const order of [
      [second, first, third, last],
      [first, first, second, third, last],
      [first, third, last],
      [first, second, third, last, last],
      [last],
    ]) {
      expect(await refusedPart(opened(Buffer.concat([header, ...order]), plain))).toBe('frame');
    }
  });

  it('refuses another tenant, object, digest or key, and a size that is not its own', async () => {
    const plain = randomBytes(1_000);
    const whole = await sealed(plain);
    expect(await refusedPart(opened(whole, plain, { tenant: 'ten_b' }))).toBe('frame');
    expect(await refusedPart(opened(whole, plain, { objectId: 'obj_b' }))).toBe('frame');
    // The frame itself is authentic, but not as the end of that digest's object.
    expect(await refusedPart(opened(whole, plain, { digest: digestOfBytes('other') }))).not.toBe('opened');
    expect(await refusedPart(opened(whole, plain, { key: randomBytes(32) }))).toBe('frame');
    expect(await refusedPart(opened(whole, plain, { size: 999 }))).toBe('size');
    expect(await refusedPart(opened(whole, plain, { size: 1_001 }))).toBe('size');
  });

  it('stops expanding at the expected size', async () => {
    const bomb = Buffer.alloc(50_000_000);
    const whole = await sealed(bomb);
    expect(whole.byteLength).toBeLessThan(50_000);
    let seen = 0;
    const reading = (async () => {
      for await (const chunk of openSealed(inChunks(whole, 10_000), key, {
        ...binding,
        digest: digestOfBytes(bomb),
        size: 1_000,
      }))
        seen += chunk.byteLength;
    })();
    expect(await refusedPart(reading)).toBe('size');
    expect(seen).toBeLessThanOrEqual(1_000);
  });

  it('seals 50 MB while holding little of it: the source is never far ahead of the sink', async () => {
    let produced = 0;
    const hash = createHash('sha256');
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let round = 0; round < 50; round++) {
        // Random, so that compressed bytes can stand for the plain ones.
        const chunk = randomBytes(1_000_000);
        produced += chunk.byteLength;
        hash.update(chunk);
        yield chunk;
      }
    }
    const measured: Partial<Measured> = {};
    let consumed = 0;
    let ahead = 0;
    for await (const part of sealStream(source(), key, binding, 50_000_000, measured)) {
      consumed += part.byteLength;
      ahead = Math.max(ahead, produced - consumed);
      await new Promise(setImmediate);
    }
    expect(measured).toEqual({ digest: `sha256:${hash.digest('hex')}`, size: 50_000_000 });
    expect(ahead).toBeLessThan(5_000_000);
  });

  it('ends with the error of its source, and with TooLong past the limit', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield randomBytes(100_000);
      throw new Error('the caller went away');
    }
    await expect(collected(sealStream(failing(), key, binding, 1_000_000, {}))).rejects.toThrow('the caller went away');
    await expect(
      collected(sealStream(inChunks(randomBytes(2_000), 100), key, binding, 1_999, {})),
    ).rejects.toBeInstanceOf(TooLong);
  });
});
