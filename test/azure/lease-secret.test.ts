import { afterAll, beforeAll, expect, it } from 'vitest';
import { openKeyVaultWrapper } from '../../shared/artifacts/keys/key-vault-wrapper.ts';
import { openBlobObjects } from '../../shared/artifacts/objects/blob-objects.ts';
import { openWrappedLeaseSecret } from '../../shared/azure/wrapped-lease-secret.ts';
import { objectIds } from '../artifacts/place.ts';
import { type Emulator, startAzurite } from './azurite.ts';
import { Vault } from './vault.ts';

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startAzurite();
});
afterAll(() => emulator.stop());

function wrapper() {
  const vault = new Vault();
  vault.rotate('rsa');
  return { vault, keys: openKeyVaultWrapper(vault.client(), 'wrapping') };
}

it('is one for all instances that start at once, opens after a rotation, and is not there in the clear', async () => {
  const container = await emulator.container('shared');
  const { vault, keys } = wrapper();
  const secrets = await Promise.all([0, 1, 2].map(() => openWrappedLeaseSecret(container, keys)));
  const [secret] = secrets;
  expect(secret).toHaveLength(32);
  for (const other of secrets) expect(Buffer.from(other).equals(Buffer.from(secret!))).toBe(true);
  vault.rotate('rsa');
  const later = await openWrappedLeaseSecret(container, openKeyVaultWrapper(vault.client(), 'wrapping'));
  expect(Buffer.from(later).equals(Buffer.from(secret!))).toBe(true);
  const kept = await container.getBlockBlobClient('lease-secret.json').downloadToBuffer();
  expect(kept.includes(Buffer.from(secret!).toString('base64'))).toBe(false);
  // Beside the artifacts, and none of them: what collects left-over objects does not see it.
  expect(await objectIds(openBlobObjects(container))).toEqual([]);
});

it('is refused when it was changed, wrapped by another key, or can not be reached', async () => {
  const container = await emulator.container('changed');
  const { keys } = wrapper();
  await openWrappedLeaseSecret(container, keys);
  await expect(openWrappedLeaseSecret(container, wrapper().keys)).rejects.toThrow();
  await container.getBlockBlobClient('lease-secret.json').upload('{}', 2);
  await expect(openWrappedLeaseSecret(container, keys)).rejects.toThrow(/no wrapped lease secret. Delete it/);
  await expect(openWrappedLeaseSecret(emulator.nowhere().container, keys)).rejects.toMatchObject({
    code: 'FACTORY-STORE-UNAVAILABLE',
  });
});
