import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyClient, KeyVaultKey } from '@azure/keyvault-keys';
import { asServiceRefusal } from '../../azure/azure-fault.ts';
import { derSignature } from './der-signature.ts';
import { keyIdOf } from './key-id.ts';
import type { PublicJwk, Signer, SigningPurpose } from './signer.ts';

export type KeyVaultSigner = Signer & {
  /** Epoch milliseconds: the start of the key's validity in a trust file. */ readonly createdAt: number;
};

/**
 * A signer over the current version of a P-256 key of a vault, which never leaves it. The version is fixed here: a rotation is followed by
 * opening anew, and the public half of the version before stays in the trust file as retired. A key signs for one purpose, so each purpose
 * names a key of its own. Every signature is checked before it is answered: one that does not hold must not reach a record that can't change.
 */
export async function openKeyVaultSigner(
  keys: KeyClient,
  name: string,
  purpose: SigningPurpose,
): Promise<KeyVaultSigner> {
  const found = await keys.getKey(name).catch((error: unknown) => {
    throw asServiceRefusal(error, `The signing key ${name}`);
  });
  const publicJwk = publicJwkOf(found);
  const createdAt = found.properties.createdOn?.getTime();
  const { version } = found.properties;
  if (createdAt === undefined || version === undefined)
    throw new Error(`The vault did not say the version of the key ${name} or when it was made; is it a Key Vault?`);
  const client = keys.getCryptographyClient(name, { keyVersion: version });
  const publicKey = createPublicKey({ key: publicJwk, format: 'jwk' });
  return {
    keyId: keyIdOf(publicJwk, createdAt),
    purpose,
    publicJwk,
    createdAt,
    async sign(bytes) {
      const digest = createHash('sha256').update(bytes).digest();
      const { result } = await client.sign('ES256', digest).catch((error: unknown) => {
        throw asServiceRefusal(error, `The signing key ${name}`);
      });
      const signature = derSignature(result);
      if (!verify('sha256', bytes, publicKey, signature))
        throw new Error(
          `The vault's signature does not hold under version ${version} of the key ${name}; nothing was signed.`,
        );
      return signature;
    },
  };
}

function publicJwkOf({ key, name }: KeyVaultKey): PublicJwk {
  const { kty, crv, x, y } = key ?? {};
  if ((kty !== 'EC' && kty !== 'EC-HSM') || crv !== 'P-256' || x === undefined || y === undefined)
    throw new Error(
      `The key ${name} of the vault is not a P-256 key (${kty ?? 'no type'} ${crv ?? ''}). Evidence is signed with ES256: make an EC key on P-256 for it.`,
    );
  const coordinate = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  return { kty: 'EC', crv: 'P-256', x: coordinate(x), y: coordinate(y) };
}
