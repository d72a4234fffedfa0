import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { requirePrivateFile } from '../../artifacts/keys/key-file.ts';
import { writeDurably } from '../../artifacts/objects/durable-file.ts';
import { systemErrorCode } from '../../artifacts/storage-refusal.ts';
import { isKeyIdOf, keyIdOf } from './key-id.ts';
import { type KeyId, type PublicJwk, SIGNING_PURPOSES, type Signer, type SigningPurpose } from './signer.ts';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const fileSchema = z.strictObject({
  format: z.literal('factory-signing-key/v1'),
  keyId: z.string(),
  purpose: z.enum(SIGNING_PURPOSES),
  createdAt: z.int().min(0),
  privateJwk: z.strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: coordinate,
  }),
});
type SigningKeyFile = z.infer<typeof fileSchema>;

export type LocalSigner = Signer & {
  /** Epoch milliseconds: the start of the key's validity in a trust file. */ readonly createdAt: number;
};

function freshKey(purpose: SigningPurpose, atMs: number): SigningKeyFile {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' });
  const createdAt = Math.floor(atMs);
  return {
    format: 'factory-signing-key/v1',
    keyId: keyIdOf({ kty: 'EC', crv: 'P-256', x, y }, createdAt),
    purpose,
    createdAt,
    privateJwk: { kty: 'EC', crv: 'P-256', x, y, d },
  };
}

/**
 * Opens the signing key of a purpose from its 0600 file, making it when absent. To rotate, move the file away (its public half
 * stays in the trust file as retired) and open again. Throws when the file may be read by others, is damaged or is for another purpose.
 */
export async function openLocalSigner(
  file: string,
  purpose: SigningPurpose,
  now: () => number = Date.now,
): Promise<LocalSigner> {
  const exists = await stat(file).then(
    () => true,
    (error: unknown) => (systemErrorCode(error) === 'ENOENT' ? false : Promise.reject(error)),
  );
  if (!exists) {
    const text = `${JSON.stringify(freshKey(purpose, now()), null, 2)}\n`;
    await writeDurably(file, [Buffer.from(text)], { mode: 0o600, exclusive: true, what: `Signing key ${file}` }).catch(
      (error: unknown) => {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
      },
    );
  }
  await requirePrivateFile(file);
  const parsed = fileSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!parsed.success)
    throw new Error(
      `Signing key ${file} is not a factory-signing-key/v1 file. Restore it from the backup, or move it away to start a new key.`,
    );
  const { keyId, privateJwk, createdAt } = parsed.data;
  const publicJwk: PublicJwk = { kty: privateJwk.kty, crv: privateJwk.crv, x: privateJwk.x, y: privateJwk.y };
  if (parsed.data.purpose !== purpose || !isKeyIdOf(keyId, publicJwk)) {
    throw new Error(
      `Signing key ${file} is for ${parsed.data.purpose}, or its id is not of this key; a key for ${purpose} is needed here.`,
    );
  }
  const key = createPrivateKey({ key: privateJwk, format: 'jwk' });
  return {
    keyId: keyId as KeyId,
    purpose,
    publicJwk,
    createdAt,
    sign: (bytes) => Promise.resolve(sign('sha256', bytes, { key, dsaEncoding: 'der' })),
  };
}
