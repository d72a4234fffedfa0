import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { requirePrivateFile } from '../../artifacts/keys/key-file.ts';
import { writeDurably } from '../../artifacts/objects/durable-file.ts';
import { systemErrorCode } from '../../artifacts/storage-refusal.ts';
import { ROLES } from '../../gates/policy/actions.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);

const client = z.strictObject({
  clientId: name,
  /** SHA-256 of the secret, which has 256 random bits: nothing slower is needed. */
  secretHash: z.string().regex(/^[0-9a-f]{64}$/),
  oid: z.guid(),
  name,
  roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
  kind: z.enum(['user', 'workload']),
});

/** What the local issuer knows: its signing key, and who may ask it for tokens. */
export const issuerFile = z.strictObject({
  format: z.literal('factory-local-issuer/v1'),
  /** The `iss` of its tokens: random, so that no two machines' tokens are taken for each other's. */
  issuer: z.string().regex(/^urn:agent-factory:local:[0-9a-f-]{36}$/),
  keyId: z.string().min(1).max(100),
  privateJwk: z.record(z.string(), z.string()),
  clients: z.array(client).max(1_000),
});
export type IssuerFile = z.infer<typeof issuerFile>;
export type LocalClient = IssuerFile['clients'][number];

/** Token tenant of every local identity. */
export const LOCAL_TENANT = 'local';

export const identityDirectory = (dataDirectory: string): string => path.join(dataDirectory, 'identity');
export const issuerPath = (dataDirectory: string): string => path.join(identityDirectory(dataDirectory), 'issuer.json');
export const credentialPath = (dataDirectory: string, identity: string): string =>
  path.join(identityDirectory(dataDirectory), `${identity}.json`);

/** Reads the issuer's file; undefined when there is none. Throws when others may read it or when it is damaged. */
export async function readIssuerFile(dataDirectory: string): Promise<IssuerFile | undefined> {
  const file = issuerPath(dataDirectory);
  const exists = await stat(file).then(
    () => true,
    (error: unknown) => (systemErrorCode(error) === 'ENOENT' ? false : Promise.reject(error)),
  );
  if (!exists) return undefined;
  await requirePrivateFile(file);
  const parsed = issuerFile.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(
    `The local issuer's file ${file} is damaged. Restore it from a backup, or remove the directory it is in to make new identities.`,
  );
}

export async function writePrivateJson(file: string, value: unknown): Promise<void> {
  await writeDurably(file, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)], { mode: 0o600, what: file });
}
