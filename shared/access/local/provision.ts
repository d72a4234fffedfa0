import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { exportJWK, generateKeyPair } from 'jose';
import type { Role } from '../../gates/policy/actions.ts';
import { readCredentialFile } from '../../jobs/client/client-credentials.ts';
import {
  credentialPath,
  type IssuerFile,
  identityDirectory,
  issuerPath,
  type LocalClient,
  readIssuerFile,
  writePrivateJson,
} from './issuer-file.ts';

type LocalIdentity = { readonly roles: readonly Role[]; readonly kind: LocalClient['kind'] };

/** The identities of a plane on one machine. Each has one job, so that no approval can come from who asked or did the work. */
export const LOCAL_IDENTITIES: Readonly<Record<string, LocalIdentity>> = {
  requester: { roles: ['requester'], kind: 'user' },
  approver: { roles: ['approver'], kind: 'user' },
  'security-approver': { roles: ['approver', 'security_approver'], kind: 'user' },
  'second-security-approver': { roles: ['approver', 'security_approver'], kind: 'user' },
  operator: { roles: ['operator'], kind: 'user' },
  'policy-owner': { roles: ['policy_owner'], kind: 'user' },
  auditor: { roles: ['auditor'], kind: 'user' },
  station: { roles: ['station'], kind: 'workload' },
  verifier: { roles: ['verifier'], kind: 'workload' },
  effector: { roles: ['effector'], kind: 'workload' },
};

const RSA_BITS = 2048;

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/**
 * Makes the local issuer and a 0600 credential file an identity, `<data>/identity/<name>.json`. Run again it changes nothing
 * but the token endpoint, which follows `controlUrl`; an identity whose credential file is gone gets a new secret.
 */
export async function provisionLocalIdentities(
  dataDirectory: string,
  options: { readonly controlUrl: string },
): Promise<void> {
  await mkdir(identityDirectory(dataDirectory), { recursive: true, mode: 0o700 });
  const issuer = (await readIssuerFile(dataDirectory)) ?? (await newIssuer());
  const tokenEndpoint = `${options.controlUrl.replace(/\/+$/, '')}/identity/token`;
  const clients = new Map(issuer.clients.map((client) => [client.clientId, client]));
  for (const [name, identity] of Object.entries(LOCAL_IDENTITIES)) {
    const file = credentialPath(dataDirectory, name);
    const held = await readCredentialFile(file).catch(() => undefined);
    const known = clients.get(name);
    const usable = held !== undefined && known !== undefined && hashOf(held.clientSecret) === known.secretHash;
    const secret = usable ? held.clientSecret : randomBytes(32).toString('base64url');
    clients.set(name, {
      clientId: name,
      secretHash: hashOf(secret),
      oid: known?.oid ?? randomUUID(),
      name,
      roles: [...identity.roles],
      kind: identity.kind,
    });
    if (!usable || held.tokenEndpoint !== tokenEndpoint)
      await writePrivateJson(file, { name, tokenEndpoint, clientId: name, clientSecret: secret });
  }
  const next: IssuerFile = { ...issuer, clients: [...clients.values()] };
  if (JSON.stringify(next) !== JSON.stringify(await readIssuerFile(dataDirectory)))
    await writePrivateJson(issuerPath(dataDirectory), next);
}

async function newIssuer(): Promise<IssuerFile> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: RSA_BITS, extractable: true });
  const jwk = await exportJWK(privateKey);
  const privateJwk = Object.fromEntries(Object.entries(jwk).filter((entry) => typeof entry[1] === 'string')) as Record<
    string,
    string
  >;
  return {
    format: 'factory-local-issuer/v1',
    issuer: `urn:agent-factory:local:${randomUUID()}`,
    keyId: `local-${randomBytes(8).toString('hex')}`,
    privateJwk,
    clients: [],
  };
}
