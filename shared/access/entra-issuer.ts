import { createRemoteJWKSet } from 'jose';
import type { Issuer } from './verify-token.ts';

/** Whatever unknown key ids are thrown at the plane, the issuer is asked for its keys at most this often. */
const REFRESH_FLOOR_MS = 5 * 60_000;
const KEYS_KEPT_MS = 12 * 60 * 60_000;
const TIME_LIMIT_MS = 5_000;

/** Entra ID, v2 tokens of one tenant: keys from that tenant's own address only. */
export function entraIssuer(settings: {
  readonly tenant: string;
  readonly authority: string;
  readonly audience: string;
}): Issuer {
  const { tenant, audience } = settings;
  const authority = settings.authority.replace(/\/+$/, '');
  return {
    issuer: `${authority}/${tenant}/v2.0`,
    audience,
    tenant,
    keys: createRemoteJWKSet(new URL(`${authority}/${tenant}/discovery/v2.0/keys`), {
      cooldownDuration: REFRESH_FLOOR_MS,
      cacheMaxAge: KEYS_KEPT_MS,
      timeoutDuration: TIME_LIMIT_MS,
    }),
  };
}
