import { createPublicKey, verify } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { preAuthenticationEncoding } from '../../shared/evidence/dsse/envelope.ts';
import { isKeyIdOf } from '../../shared/evidence/signing/key-id.ts';
import { openLocalSigner } from '../../shared/evidence/signing/local-signer.ts';

async function keyFile(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'factory-keys-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return join(path, 'evidence-key.json');
}

describe('signing keys', () => {
  it('makes a private file once, and signs ES256 that any verifier reads', async () => {
    const file = await keyFile();
    const signers = await Promise.all(Array.from({ length: 4 }, () => openLocalSigner(file, 'evidence')));
    const [first] = signers;
    expect(new Set(signers.map((signer) => signer.keyId)).size).toBe(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(isKeyIdOf(first!.keyId, first!.publicJwk)).toBe(true);
    const signature = await first!.sign(Buffer.from('bytes'));
    const key = createPublicKey({ key: first!.publicJwk, format: 'jwk' });
    expect(verify('sha256', Buffer.from('bytes'), key, signature)).toBe(true);
    expect(verify('sha256', Buffer.from('other'), key, signature)).toBe(false);
  });

  it('refuses a key that others may read, of another purpose, under another id, or damaged', async () => {
    const file = await keyFile();
    const { keyId } = await openLocalSigner(file, 'evidence');
    await expect(openLocalSigner(file, 'anchor')).rejects.toThrow(/for evidence/);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(keyId, `${keyId.slice(0, -1)}${keyId.endsWith('0') ? '1' : '0'}`));
    await expect(openLocalSigner(file, 'evidence')).rejects.toThrow(/its id is not of this key/);
    await writeFile(file, '{}');
    await expect(openLocalSigner(file, 'evidence')).rejects.toThrow(/not a factory-signing-key/);
    await writeFile(file, text);
    await chmod(file, 0o604);
    await expect(openLocalSigner(file, 'evidence')).rejects.toThrow(/others may read it/);
  });

  it('encodes type and payload as the DSSE specification shows', () => {
    expect(preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    expect(preAuthenticationEncoding('é', Buffer.alloc(0)).toString()).toBe('DSSEv1 2 é 0 ');
  });
});
