import { createCipheriv, createDecipheriv } from 'node:crypto';

/**
 * The sealed form of an object: 8 bytes of header, then frames. Each frame is AES-256-GCM over at most 64 KiB, its 16-byte tag
 * behind it; every frame but the last is full. The nonce is the frame's number (11 bytes) and a flag that is 1 on the last frame only:
 * the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015), as in age.
 * So a frame that is changed, moved, doubled or missing at the end does not open. A data key seals exactly one object, hence no nonce repeats under a key.
 */
export const HEADER = Buffer.from('AFSEAL1\n', 'latin1');
export const FRAME_BYTES = 64 * 1024;
export const TAG_BYTES = 16;

/** What an object belongs to; bound into its frames as additional authenticated data. */
export type SealBinding = { readonly tenant: string; readonly objectId: string };

function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** The digest is known only at the end of a stream, so the last frame binds it; no object opens without its last frame. */
function additionalData(binding: SealBinding, digest: string | undefined): Buffer {
  return Buffer.from(`${HEADER.toString('latin1')}${binding.tenant}\n${binding.objectId}\n${digest ?? ''}`);
}

/** Seals one frame. `digest` (of the whole plaintext) is given with the last frame and only with it. */
export function sealFrame(
  key: Uint8Array,
  index: number,
  plain: Uint8Array,
  binding: SealBinding,
  digest: string | undefined,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index, digest !== undefined), { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(binding, digest));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens one frame, or answers undefined when it is not the frame that was sealed at this place. */
export function openFrame(
  key: Uint8Array,
  index: number,
  sealed: Uint8Array,
  binding: SealBinding,
  digest: string | undefined,
): Buffer | undefined {
  if (sealed.byteLength < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, digest !== undefined), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(binding, digest));
  decipher.setAuthTag(sealed.subarray(sealed.byteLength - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.byteLength - TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
