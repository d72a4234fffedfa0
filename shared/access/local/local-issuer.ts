import { createHash, timingSafeEqual } from 'node:crypto';
import { type CryptoKey, createLocalJWKSet, importJWK, type JWK, SignJWT } from 'jose';
import type { Issuer } from '../verify-token.ts';
import { type IssuerFile, LOCAL_TENANT, type LocalClient, readIssuerFile } from './issuer-file.ts';

/** A token's life. Short for a person's terminal and long for a worker, which asks again by itself. */
const TOKEN_SECONDS = 3_600;
/** An unknown client makes the file be read again, at most this often. */
const REREAD_MS = 1_000;

export type LocalIssuer = {
  readonly issuer: Issuer;
  /** Its public key (RFC 7517 §5). */
  readonly jwks: { readonly keys: readonly JWK[] };
  /** Everybody it knows, as of now. */
  clients(): readonly LocalClient[];
  /** A token for a client that proved itself, or undefined: who is unknown and who has a wrong secret are not told apart. */
  issue(
    clientId: string,
    secret: string,
  ): Promise<{ readonly accessToken: string; readonly expiresIn: number } | undefined>;
};

/**
 * The issuer of a plane on one machine: OAuth client credentials (RFC 6749 §4.4) against its 0600 file. `onChange` is told
 * when identities were added since.
 */
export async function openLocalIssuer(options: {
  readonly dataDirectory: string;
  readonly audience: string;
  readonly onChange: (clients: readonly LocalClient[]) => Promise<void>;
}): Promise<LocalIssuer> {
  const { dataDirectory, audience, onChange } = options;
  let file = await requireFile(dataDirectory);
  let readAt = Date.now();
  const { privateJwk, keyId } = file;
  const key = (await importJWK({ ...privateJwk } as JWK, 'RS256')) as CryptoKey;
  const publicJwk: JWK = { ...pick(privateJwk, ['kty', 'n', 'e']), kid: keyId, alg: 'RS256', use: 'sig' };
  const jwks = { keys: [publicJwk] };

  async function clientOf(clientId: string): Promise<LocalClient | undefined> {
    const known = file.clients.find((client) => client.clientId === clientId);
    if (known !== undefined || Date.now() - readAt < REREAD_MS) return known;
    readAt = Date.now();
    file = await requireFile(dataDirectory);
    await onChange(file.clients);
    return file.clients.find((client) => client.clientId === clientId);
  }

  return {
    issuer: { issuer: file.issuer, audience, tenant: LOCAL_TENANT, keys: createLocalJWKSet(jwks) },
    jwks,
    clients: () => file.clients,
    async issue(clientId, secret) {
      const client = await clientOf(clientId);
      const given = createHash('sha256').update(secret).digest();
      // Compared against something even when the client is unknown, so that the time taken tells nothing.
      const expected = Buffer.from(client?.secretHash ?? '0'.repeat(64), 'hex');
      if (!timingSafeEqual(given, expected) || client === undefined) return undefined;
      const now = Math.floor(Date.now() / 1000);
      const accessToken = await new SignJWT({
        ver: '2.0',
        tid: LOCAL_TENANT,
        oid: client.oid,
        azp: client.clientId,
        auth_time: now,
        ...(client.kind === 'user' ? { scp: 'Factory.Use' } : { roles: ['Factory.Work'] }),
      })
        .setProtectedHeader({ alg: 'RS256', kid: keyId, typ: 'at+jwt' })
        .setIssuer(file.issuer)
        .setAudience(audience)
        .setSubject(client.oid)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + TOKEN_SECONDS)
        .sign(key);
      return { accessToken, expiresIn: TOKEN_SECONDS };
    },
  };
}

async function requireFile(dataDirectory: string): Promise<IssuerFile> {
  const file = await readIssuerFile(dataDirectory);
  if (file !== undefined) return file;
  throw new Error(
    `There are no local identities in ${dataDirectory}. Make them with "factory up", or set FACTORY_IDENTITY=entra.`,
  );
}

const pick = (jwk: Readonly<Record<string, string>>, names: readonly string[]): JWK =>
  Object.fromEntries(names.map((name) => [name, jwk[name] ?? ''])) as JWK;
