import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Claims } from './claims.ts';
import { Unauthenticated } from './unauthenticated.ts';

/** Whose tokens are taken. Everything is configured; nothing of it comes from a token. */
export type Issuer = {
  readonly issuer: string;
  readonly audience: string;
  readonly tenant: string;
  readonly keys: JWTVerifyGetKey;
};

const TOKEN_LENGTH = 8 * 1024;
export const SKEW_SECONDS = 60;
/** The longest that Entra makes a token last: 24 to 28 hours where access is evaluated continuously, 24 hours for managed identities. */
const LIFETIME_SECONDS = 28 * 3_600 + SKEW_SECONDS;
/** Header parameters that say where to find a key, or change what is signed (RFC 7515 §4.1): a token has no say in that. */
const REFUSED_PARAMETERS = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip'];

/** Nothing that a database could trim or fold away when it compares: Azure SQL ignores spaces at the end. */
const PLAIN = /^[A-Za-z0-9-]+$/;

const payload = z.object({
  tid: z.string().max(64).regex(PLAIN),
  oid: z.string().max(128).regex(PLAIN),
  ver: z.literal('2.0'),
  iat: z.number(),
  exp: z.number(),
  auth_time: z.number().optional(),
  scp: z.string().min(1).optional(),
  roles: z.array(z.string()).min(1).optional(),
});

/** What only an ID token carries (OpenID Connect Core §2): it proves a sign-in to somebody else and opens nothing here. */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash'];

/**
 * Checks an access token (RFC 9068 §4, and Entra's claims validation): RS256 and nothing else, a key of the configured
 * issuer, exact issuer, audience and tenant, in time within 60 s and for no longer than
 * Entra makes one, an access token that says what it grants. Throws
 * `Unauthenticated`, whose reason is counted and never told to the caller.
 */
export async function verifyToken(token: string, issuer: Issuer): Promise<Claims> {
  if (token.length > TOKEN_LENGTH) throw new Unauthenticated('too_long');
  checkHeader(token);
  const claims = await checkSignature(token, issuer);
  if (ID_TOKEN_CLAIMS.some((claim) => claims[claim] !== undefined)) throw new Unauthenticated('id_token');
  const parsed = payload.safeParse(claims);
  if (!parsed.success) throw new Unauthenticated('claims');
  const { tid, oid, scp, roles, iat, exp, auth_time: authenticated } = parsed.data;
  const latest = Date.now() / 1000 + SKEW_SECONDS;
  if (iat > latest) throw new Unauthenticated('issued_in_future');
  if (authenticated !== undefined && authenticated > latest) throw new Unauthenticated('authenticated_in_future');
  if (exp - iat > LIFETIME_SECONDS) throw new Unauthenticated('lifetime');
  if (tid !== issuer.tenant) throw new Unauthenticated('tenant');
  // A token is a delegated one or an application's: one that claims to be both, or neither, was made by no issuer of ours.
  if ((scp === undefined) === (roles === undefined)) throw new Unauthenticated('grant');
  return {
    tid,
    oid,
    grant: roles === undefined ? 'delegated' : 'application',
    authenticatedAt: authenticated === undefined ? 0 : authenticated * 1000,
  };
}

function checkHeader(token: string): void {
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    throw new Unauthenticated('malformed');
  }
  if (header['alg'] !== 'RS256') throw new Unauthenticated('algorithm');
  const type = header['typ'];
  if (type !== undefined && !['jwt', 'at+jwt', 'application/at+jwt'].includes(String(type).toLowerCase()))
    throw new Unauthenticated('type');
  if (typeof header['kid'] !== 'string' || header['kid'] === '') throw new Unauthenticated('key_id');
  if (REFUSED_PARAMETERS.some((name) => name in header)) throw new Unauthenticated('header');
}

async function checkSignature(token: string, issuer: Issuer): Promise<JWTPayload> {
  try {
    const { payload: claims } = await jwtVerify(token, issuer.keys, {
      algorithms: ['RS256'],
      issuer: issuer.issuer,
      audience: issuer.audience,
      clockTolerance: SKEW_SECONDS,
      requiredClaims: ['exp', 'nbf', 'iat'],
    });
    // RFC 7519 allows a list of audiences; a token that several services take can be replayed by any of them.
    if (typeof claims.aud !== 'string') throw new Unauthenticated('audience');
    return claims;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new Unauthenticated('expired');
    if (error instanceof errors.JWTClaimValidationFailed) throw new Unauthenticated(`claim_${error.claim}`);
    if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
      throw new Unauthenticated('unknown_key');
    if (error instanceof errors.JWKSTimeout) throw error;
    if (error instanceof errors.JOSEError) throw new Unauthenticated('signature');
    throw error;
  }
}
