import { z } from 'zod';
import type { LocalIssuer } from '../../../shared/access/local/local-issuer.ts';
import { requireLoopback } from '../../../shared/access/loopback.ts';
import type { Plane } from '../plane.ts';
import { type Answer, ok, route } from './route.ts';

const FORM_BYTES = 8 * 1024;
const because = 'It is where an identity is proved; it answers programs on this machine only.';

const form = z.object({
  grant_type: z.string(),
  client_id: z.string().max(200),
  client_secret: z.string().max(1_000),
  scope: z.string().max(500).optional(),
});

function localIssuer(plane: Plane): LocalIssuer {
  if (plane.localIssuer === undefined) throw new Error('the local issuer was called, and identities are not local');
  return plane.localIssuer;
}

/** An OAuth error (RFC 6749 §5.2), which is no problem document. */
const oauthError = (status: number, error: string): Answer => ({
  status,
  json: { error },
  headers: { 'cache-control': 'no-store' },
});

const issueToken = route({
  method: 'POST',
  path: '/identity/token',
  root: true,
  name: 'identity-token',
  summary:
    'An access token for a local identity (OAuth client credentials, RFC 6749 §4.4); only with FACTORY_IDENTITY=local.',
  access: { kind: 'public', because },
  raw: ['application/x-www-form-urlencoded'],
  answers: {
    200: z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() }),
    400: 'OAuth error',
    401: 'OAuth error',
  },
  async handle(call) {
    requireLoopback(call.headers);
    const issuer = localIssuer(call.plane);
    const text = Buffer.from(await call.bytes(FORM_BYTES)).toString('utf8');
    const parsed = form.safeParse(Object.fromEntries(new URLSearchParams(text)));
    if (!parsed.success) return oauthError(400, 'invalid_request');
    if (parsed.data.grant_type !== 'client_credentials') return oauthError(400, 'unsupported_grant_type');
    const issued = await issuer.issue(parsed.data.client_id, parsed.data.client_secret);
    if (issued === undefined) {
      call.plane.refusals.count('unauthenticated:client_secret');
      return oauthError(401, 'invalid_client');
    }
    return ok({ access_token: issued.accessToken, token_type: 'Bearer', expires_in: issued.expiresIn });
  },
});

const keys = route({
  method: 'GET',
  path: '/identity/jwks',
  root: true,
  name: 'identity-jwks',
  summary: 'The public key of the local issuer (RFC 7517 §5).',
  access: { kind: 'public', because: 'A public key is for everybody; it answers programs on this machine only.' },
  answers: { 200: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }) },
  async handle(call) {
    requireLoopback(call.headers);
    return ok(localIssuer(call.plane).jwks);
  },
});

export const identityRoutes = [issueToken, keys];
