import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, it } from 'vitest';
import { type DatedSigner, openSigning, type Rotation, readTrust, recordSigner } from '../../functions/control/keys.ts';
import { keyIdOf } from '../../shared/evidence/signing/key-id.ts';
import type { PublicJwk } from '../../shared/evidence/signing/signer.ts';
import { place } from '../artifacts/place.ts';
import { seed, tenant } from '../store/fixture.ts';

const HOUR = 60 * 60_000;
const WHILE_RUNNING: Rotation = { retireAfterMs: 24 * HOUR, followEveryMs: HOUR };
const refuse = (error: unknown): never => {
  throw error;
};

/** A version of a vault's key, made so long ago. */
function version(agoMs: number): DatedSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  const createdAt = Date.now() - agoMs;
  return {
    keyId: keyIdOf(publicJwk, createdAt),
    purpose: 'evidence',
    publicJwk,
    createdAt,
    sign: async (bytes) => sign('sha256', bytes, privateKey),
  };
}

async function plane() {
  const { store } = await place();
  await seed(store);
  return {
    record: (signer: DatedSigner, retireAfterMs: number) => recordSigner(store, tenant, signer, retireAfterMs),
    retired: async (signer: DatedSigner) =>
      (await readTrust(store, tenant)).keys.find(({ keyId }) => keyId === signer.keyId)?.notAfter !== null,
    known: async () => (await readTrust(store, tenant)).keys.map(({ keyId }) => keyId),
  };
}

it('a running process takes up a newer version once it is recorded, and the one before signs on elsewhere unretired', async () => {
  const { record, retired, known } = await plane();
  const [first, second] = [version(48 * HOUR), version(0)];
  let current = first;
  let now = 0;
  const signer = await openSigning({ open: async () => current, rotation: WHILE_RUNNING }, record, refuse, () => now);
  expect(signer().keyId).toBe(first.keyId);
  current = second;
  expect(signer().keyId).toBe(first.keyId);
  now = HOUR;
  await expect.poll(() => signer().keyId).toBe(second.keyId);
  expect((await known()).sort()).toEqual([first.keyId, second.keyId].sort());
  expect(await retired(first)).toBe(false);
});

it('a version is retired a day after the newer one was made, and never by an older one', async () => {
  const { record, retired } = await plane();
  const [old, newer] = [version(72 * HOUR), version(25 * HOUR)];
  await record(newer, WHILE_RUNNING.retireAfterMs);
  // A process that the vault still answers with the version before.
  await record(old, WHILE_RUNNING.retireAfterMs);
  expect([await retired(old), await retired(newer)]).toEqual([false, false]);
  await record(newer, WHILE_RUNNING.retireAfterMs);
  expect([await retired(old), await retired(newer)]).toEqual([true, false]);
});

it('while the vault is away the version at hand goes on, and the failure is told', async () => {
  const { record } = await plane();
  const first = version(0);
  const told: unknown[] = [];
  let now = 0;
  let away = false;
  const open = async (): Promise<DatedSigner> => (away ? refuse(new Error('the vault is away')) : first);
  const signer = await openSigning(
    { open, rotation: WHILE_RUNNING },
    record,
    (error) => told.push(error),
    () => now,
  );
  away = true;
  now = HOUR;
  expect(signer().keyId).toBe(first.keyId);
  await expect.poll(() => told).toHaveLength(1);
  expect(signer().keyId).toBe(first.keyId);
});

it('with one process a newer key retires the one before at once', async () => {
  const { record, retired } = await plane();
  const [old, newer] = [version(HOUR), version(0)];
  await record(old, 0);
  await record(newer, 0);
  expect([await retired(old), await retired(newer)]).toEqual([true, false]);
});
