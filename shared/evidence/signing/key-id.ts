import { createHash } from 'node:crypto';
import { derivedId } from '../../artifacts/derived-id.ts';
import type { KeyId, PublicJwk } from './signer.ts';

const thumbprint = (jwk: PublicJwk): Buffer =>
  createHash('sha256')
    .update(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }))
    .digest();

/** The id of a public key: its last part is taken from the key's thumbprint (RFC 7638), so an id can't be given to another key. */
export function keyIdOf(jwk: PublicJwk, createdAt: number): KeyId {
  return derivedId('key', 'key', createdAt, thumbprint(jwk));
}

/** Whether the id was made for this key; what the id says of the time is not looked at. */
export function isKeyIdOf(keyId: string, jwk: PublicJwk): boolean {
  return keyId.slice(-16) === keyIdOf(jwk, 0).slice(-16);
}
