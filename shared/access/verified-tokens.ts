import { decodeJwt } from 'jose';
import type { Claims } from './claims.ts';
import { type Issuer, SKEW_SECONDS, verifyToken } from './verify-token.ts';

export type VerifyToken = (token: string) => Promise<Claims>;

/** A key withdrawn by the issuer opens nothing after this long: as long as a withdrawn role (`createActors`). */
const KEPT_MS = 5_000;
const KEPT = 1_000;

type Verified = { readonly claims: Claims; readonly until: number };

/**
 * Verifies tokens, remembering for a few seconds those that passed: a worker sends the same one with each call, and checking its
 * signature anew was 6 % of control's time. A token is known by its whole text, and never outlives its own `exp`. What was refused is
 * checked again each time.
 */
export function createVerifier(issuer: Issuer, now: () => number = Date.now): VerifyToken {
  const verified = new Map<string, Verified>();
  return async (token) => {
    const known = verified.get(token);
    if (known !== undefined && now() < known.until) return known.claims;
    verified.delete(token);
    const claims = await verifyToken(token, issuer);
    const expires = (decodeJwt(token).exp ?? 0) + SKEW_SECONDS;
    verified.set(token, { claims, until: Math.min(now() + KEPT_MS, expires * 1_000) });
    for (const oldest of verified.keys()) {
      if (verified.size <= KEPT) break;
      verified.delete(oldest);
    }
    return claims;
  };
}
