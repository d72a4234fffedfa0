import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { requirePrivateFile } from '../../shared/artifacts/keys/key-file.ts';
import { writeDurably } from '../../shared/artifacts/objects/durable-file.ts';
import { systemErrorCode } from '../../shared/artifacts/storage-refusal.ts';
import type { TenantId } from '../../shared/domain/ids.ts';
import type { PublicJwk, Signer, SigningPurpose } from '../../shared/evidence/signing/signer.ts';
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

/** A signer and the start of its key's validity, in epoch milliseconds. */
export type DatedSigner = Signer & { readonly createdAt: number };

/** How signing keys of one kind come and go. */
export type Rotation = {
  /** How old the newest key is when those before it are retired: by then no process signs with one of them any more. 0 with one process. */
  readonly retireAfterMs: number;
  /** How often a process looks for a newer key while it runs; undefined when only a start takes one up. */
  readonly followEveryMs: number | undefined;
};

/**
 * The signer of a purpose at any moment, its public half recorded before it signs anything. Where keys rotate while processes run, a newer one is taken up
 * in the background; until then the one before goes on signing, and is not retired yet.
 */
export async function openSigning(
  keys: { open(): Promise<DatedSigner>; readonly rotation: Rotation },
  record: (signer: DatedSigner, retireAfterMs: number) => Promise<void>,
  report: (error: unknown) => void,
  now: () => number = Date.now,
): Promise<() => Signer> {
  const { retireAfterMs, followEveryMs = Number.POSITIVE_INFINITY } = keys.rotation;
  const open = async (): Promise<DatedSigner> => {
    const signer = await keys.open();
    await record(signer, retireAfterMs);
    return signer;
  };
  let current = await open();
  let lookAt = now() + followEveryMs;
  return () => {
    if (now() >= lookAt) {
      lookAt = now() + followEveryMs;
      open().then((signer) => {
        current = signer;
      }, report);
    }
    return current;
  };
}

/**
 * Records the public half of a signing key, and retires the keys of its purpose that it has replaced for `retireAfterMs`; what those signed stays verifiable.
 * A key older than the newest retires none: a process may still read it from a vault that has rotated.
 */
export async function recordSigner(
  store: Store,
  tenant: TenantId,
  { keyId, purpose, publicJwk, createdAt }: DatedSigner,
  retireAfterMs: number,
): Promise<void> {
  await store.run('keys.record', function* () {
    const known = (yield* rows(signingKeysOf({ tenant }))).filter((key) => key.purpose === purpose);
    const isNew = !known.some((key) => key.id === keyId);
    const replaced =
      Date.now() - createdAt < retireAfterMs
        ? []
        : known.filter((key) => key.state === 'active' && key.id !== keyId && key.created_at <= createdAt);
    if (!isNew && replaced.length === 0) return unchanged(undefined);
    for (const { id } of replaced) yield* one(retireSigningKey({ tenant, key: id }));
    if (isNew)
      yield* write(
        insertSigningKey({
          id: keyId,
          tenant_id: tenant,
          purpose,
          public_jwk: JSON.stringify(publicJwk),
          state: 'active',
          created_at: createdAt,
          retired_at: null,
        }),
      );
    return undefined;
  });
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
