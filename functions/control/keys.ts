import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { requirePrivateFile } from '../../shared/artifacts/keys/key-file.ts';
import { writeDurably } from '../../shared/artifacts/objects/durable-file.ts';
import { systemErrorCode } from '../../shared/artifacts/storage-refusal.ts';
import type { TenantId } from '../../shared/domain/ids.ts';
import type { LocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';
import type { PublicJwk, SigningPurpose } from '../../shared/evidence/signing/signer.ts';
import type { Trust } from '../../shared/evidence/signing/trust.ts';
import { one, rows, unchanged, write } from '../../shared/store/command.ts';
import { insertSigningKey, retireSigningKey, signingKeysOf } from '../../shared/store/evidence/signing-keys.ts';
import type { Store } from '../../shared/store/store.ts';

const SECRET_BYTES = 32;

/** The secret that lease tokens are made under: a 0600 file, made when absent. A new one makes every lease stale, and harms nothing else. */
export async function openLeaseSecret(directory: string): Promise<Uint8Array> {
  const file = path.join(directory, 'lease.key');
  await writeDurably(file, [randomBytes(SECRET_BYTES)], { mode: 0o600, exclusive: true, what: file }).catch(
    (error: unknown) => {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    },
  );
  await requirePrivateFile(file);
  const secret = await readFile(file);
  if (secret.byteLength !== SECRET_BYTES)
    throw new Error(`The lease secret ${file} is damaged. Remove it: every worker then claims its job anew.`);
  return secret;
}

/** The signing key of a purpose, its public half recorded; a key it replaces becomes retired, and what that signed stays verifiable. */
export async function openSigner(
  store: Store,
  tenant: TenantId,
  directory: string,
  purpose: SigningPurpose,
): Promise<LocalSigner> {
  const signer = await openLocalSigner(path.join(directory, `${purpose}.json`), purpose);
  await store.run('keys.record', function* () {
    const known = (yield* rows(signingKeysOf({ tenant }))).filter((key) => key.purpose === purpose);
    if (known.some((key) => key.id === signer.keyId)) return unchanged(undefined);
    for (const old of known) if (old.state === 'active') yield* one(retireSigningKey({ tenant, key: old.id }));
    yield* write(
      insertSigningKey({
        id: signer.keyId,
        tenant_id: tenant,
        purpose,
        public_jwk: JSON.stringify(signer.publicJwk),
        state: 'active',
        created_at: signer.createdAt,
        retired_at: null,
      }),
    );
    return undefined;
  });
  return signer;
}

/** Every public key of the plane, retired ones included: what offline verification believes. */
export async function readTrust(store: Store, tenant: TenantId): Promise<Trust> {
  const keys = await store.read('keys.list', () => rows(signingKeysOf({ tenant })));
  return {
    format: 'factory-trust/v1',
    keys: keys.map((key) => ({
      keyId: key.id,
      purpose: key.purpose as SigningPurpose,
      jwk: JSON.parse(key.public_jwk) as PublicJwk,
      notBefore: key.created_at,
      notAfter: key.retired_at,
    })),
  };
}
