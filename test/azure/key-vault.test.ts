import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openKeyVaultWrapper } from '../../shared/artifacts/keys/key-vault-wrapper.ts';
import { KeyUnusable } from '../../shared/artifacts/keys/key-wrapper.ts';
import { keyAt, tableAt } from '../../shared/azure/azure-parts.ts';
import { preAuthenticationEncoding } from '../../shared/evidence/dsse/envelope.ts';
import { signEnvelope } from '../../shared/evidence/dsse/sign.ts';
import { verifyEnvelope } from '../../shared/evidence/dsse/verify.ts';
import { derSignature } from '../../shared/evidence/signing/der-signature.ts';
import { isKeyIdOf } from '../../shared/evidence/signing/key-id.ts';
import { openKeyVaultSigner } from '../../shared/evidence/signing/key-vault-signer.ts';
import { Vault, willSign } from './vault.ts';

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const away = { status: 503, code: 'FACTORY-STORE-UNAVAILABLE' };

describe('data keys wrapped for a vault', () => {
  const dataKey = randomBytes(32);

  it('wraps without a call and unwraps by the vault, after its challenge', async () => {
    const vault = new Vault();
    const version = vault.rotate('rsa');
    const keys = openKeyVaultWrapper(vault.client(), 'wrapping');
    expect(await keys.currentVersion()).toBe(version);
    expect(vault.calls).toEqual(['challenge', 'get']);
    const wrapped = await keys.wrap(dataKey, 'an artifact');
    expect(vault.calls).toHaveLength(2);
    expect(wrapped.version).toBe(version);
    expect(Buffer.from(wrapped.wrapped).includes(dataKey)).toBe(false);
    expect(Buffer.from(await keys.unwrap(wrapped, 'an artifact')).equals(dataKey)).toBe(true);
    expect(vault.calls.at(-1)).toBe('unwrapkey');
  });

  it('refuses a wrapped key that was changed, moved to another artifact, or of no version of the vault', async () => {
    const vault = new Vault();
    vault.rotate('rsa');
    const keys = openKeyVaultWrapper(vault.client(), 'wrapping');
    const wrapped = await keys.wrap(dataKey, 'an artifact');
    await expect(keys.unwrap(wrapped, 'another')).rejects.toThrow(KeyUnusable);
    const changed = Buffer.from(wrapped.wrapped);
    changed[10]! ^= 1;
    await expect(keys.unwrap({ ...wrapped, wrapped: changed }, 'an artifact')).rejects.toThrow(KeyUnusable);
    await expect(keys.unwrap({ ...wrapped, version: 'e'.repeat(32) }, 'an artifact')).rejects.toThrow(KeyUnusable);
    const calls = vault.calls.length;
    await expect(keys.unwrap({ ...wrapped, version: '../other/key' }, 'an artifact')).rejects.toThrow(KeyUnusable);
    expect(vault.calls).toHaveLength(calls);
  });

  it('follows a rotation after a while, at once when asked, and still reads what older versions wrapped', async () => {
    const vault = new Vault();
    const first = vault.rotate('rsa');
    let now = 0;
    const keys = openKeyVaultWrapper(vault.client(), 'wrapping', () => now);
    const old = await keys.wrap(dataKey, 'an artifact');
    const second = vault.rotate('rsa');
    expect((await keys.wrap(dataKey, 'an artifact')).version).toBe(first);
    now += 10 * 60_000;
    expect((await keys.wrap(dataKey, 'an artifact')).version).toBe(second);
    const third = vault.rotate('rsa');
    expect(await keys.currentVersion()).toBe(third);
    expect((await keys.wrap(dataKey, 'an artifact')).version).toBe(third);
    expect(Buffer.from(await keys.unwrap(old, 'an artifact')).equals(dataKey)).toBe(true);
  });

  it('says that the vault is away or closed to it, and takes no key of another kind', async () => {
    const vault = new Vault();
    vault.rotate('rsa');
    const keys = openKeyVaultWrapper(vault.client(), 'wrapping');
    const wrapped = await keys.wrap(dataKey, 'an artifact');
    for (const status of [403, 429, 503]) {
      vault.failing = status;
      await expect(keys.unwrap(wrapped, 'an artifact')).rejects.toMatchObject(away);
      await expect(keys.currentVersion()).rejects.toMatchObject(away);
    }
    const other = new Vault();
    other.rotate('ec');
    await expect(openKeyVaultWrapper(other.client(), 'wrapping').currentVersion()).rejects.toThrow(/not an RSA key/);
  });
});

describe('signatures of a vault', () => {
  it('are DER, verify in an envelope like local ones, and bear the id of the key', async () => {
    const vault = new Vault();
    vault.rotate('ec');
    const signer = await openKeyVaultSigner(vault.client(), 'evidence', 'evidence');
    expect(isKeyIdOf(signer.keyId, signer.publicJwk)).toBe(true);
    expect(signer.createdAt).toBe(1_700_000_000_000);
    const payload = Buffer.from('{"a":1}');
    const type = 'application/json';
    const signed = preAuthenticationEncoding(type, payload);
    willSign(sha256(signed), signed);
    const envelope = await signEnvelope(type, payload, signer);
    const key = {
      keyId: signer.keyId,
      purpose: 'evidence' as const,
      jwk: signer.publicJwk,
      notBefore: signer.createdAt,
      notAfter: null,
    };
    const trust = { format: 'factory-trust/v1' as const, keys: [key] };
    expect(verifyEnvelope(envelope, type, 'evidence', trust)).toMatchObject({ ok: true });
    expect(verifyEnvelope(envelope, type, 'anchor', trust)).toMatchObject({ ok: false });
  });

  it('are never handed on when they do not hold', async () => {
    const vault = new Vault();
    vault.rotate('ec');
    const signer = await openKeyVaultSigner(vault.client(), 'evidence', 'evidence');
    const bytes = Buffer.from('bytes');
    willSign(sha256(bytes), bytes);
    await signer.sign(bytes);
    vault.lying = true;
    await expect(signer.sign(bytes)).rejects.toThrow(/does not hold/);
  });

  it('stay with the version they were opened with, and need a P-256 key', async () => {
    const vault = new Vault();
    vault.rotate('ec');
    const signer = await openKeyVaultSigner(vault.client(), 'evidence', 'evidence');
    vault.rotate('ec');
    const bytes = Buffer.from('after the rotation');
    willSign(sha256(bytes), bytes);
    const key = createPublicKey({ key: signer.publicJwk, format: 'jwk' });
    expect(verify('sha256', bytes, key, await signer.sign(bytes))).toBe(true);
    expect((await openKeyVaultSigner(vault.client(), 'evidence', 'evidence')).keyId).not.toBe(signer.keyId);
    vault.rotate('p384');
    await expect(openKeyVaultSigner(vault.client(), 'evidence', 'evidence')).rejects.toThrow(/not a P-256 key/);
    vault.failing = 503;
    await expect(openKeyVaultSigner(vault.client(), 'evidence', 'evidence')).rejects.toMatchObject(away);
    await expect(signer.sign(bytes)).rejects.toMatchObject(away);
  });

  it('become the shortest DER integers', () => {
    const raw = Buffer.alloc(64);
    raw[31] = 1;
    raw[32] = 0x80;
    const der = Buffer.from(derSignature(raw)).toString('hex');
    expect(der).toBe(`3026020101022100${'80'.padEnd(64, '0')}`);
    expect(() => derSignature(Buffer.alloc(63))).toThrow(/64 bytes/);
  });
});

describe('addresses', () => {
  it('of a key carry no version, of a table one name', () => {
    expect(keyAt('https://v.vault.azure.net/keys/wrapping')).toEqual({
      vault: 'https://v.vault.azure.net',
      name: 'wrapping',
    });
    for (const wrong of [
      `https://v.vault.azure.net/keys/wrapping/${'a'.repeat(32)}`,
      'http://v.vault.azure.net/keys/k',
      'https://v.vault.azure.net/secrets/k',
    ])
      expect(() => keyAt(wrong)).toThrow(/not the address of a key/);
    const credential = { getToken: async () => null };
    expect(tableAt('https://a.table.core.windows.net/activity', credential).tableName).toBe('activity');
    expect(() => tableAt('https://a.table.core.windows.net/', credential)).toThrow(/not the address of a table/);
  });
});
