import type { Id } from '../../domain/ids.ts';

export type KeyId = Id<'key'>;

/** What a signing key may sign. A key signs for one purpose only, so that no anchor can be passed off as evidence. */
export const SIGNING_PURPOSES = ['evidence', 'anchor'] as const;
export type SigningPurpose = (typeof SIGNING_PURPOSES)[number];

/** Public half of a P-256 key as a JWK (RFC 7517, RFC 7518 §6.2.1). */
export type PublicJwk = { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };

/**
 * Signs with a key that only signs. ES256 (ECDSA over P-256 with SHA-256, RFC 7518 §3.4) because that is what a cloud vault
 * signs with, so local and deployed evidence verify alike. `sign` answers the DER form (as cosign and sigstore expect); a driver whose
 * vault answers `r ‖ s` (RFC 7518) converts.
 */
export type Signer = {
  readonly keyId: KeyId;
  readonly purpose: SigningPurpose;
  readonly publicJwk: PublicJwk;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
};
