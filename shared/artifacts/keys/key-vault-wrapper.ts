import { constants, createHash, createPublicKey, type KeyObject, publicEncrypt, timingSafeEqual } from 'node:crypto';
import type { CryptographyClient, KeyClient, KeyVaultKey } from '@azure/keyvault-keys';
import { answeredStatus, asServiceRefusal } from '../../azure/azure-fault.ts';
import { KeyUnusable, type KeyWrapper } from './key-wrapper.ts';

/** After this long a wrap asks the vault which version is current, so that a rotation is followed. */
const CURRENT_FOR_MS = 10 * 60_000;
/** Versions whose client is kept: each is one more question to the vault when it is first used. */
const VERSIONS = 64;
/** The form of a version in a vault. One from the database goes into a URL, so it is held to it. */
const VERSION = /^[0-9a-f]{32}$/;
const BINDING = 32;

type Current = { readonly version: string; readonly publicKey: KeyObject; readonly until: number };

/**
 * Wraps data keys with an RSA key of a vault, RSA-OAEP-256 (RFC 7518 §4.3). Wrapping takes the public half, in this process, so that storing an artifact
 * costs no call; only the vault can unwrap. OAEP binds no context, so what is encrypted is the data key followed by the sha256 of the context,
 * which must match again. `keys` is the client of the vault, `name` the key's name.
 */
export function openKeyVaultWrapper(keys: KeyClient, name: string, now: () => number = Date.now): KeyWrapper {
  let current: Current | undefined;
  const clients = new Map<string, CryptographyClient>();

  async function readCurrent(): Promise<Current> {
    const key = await keys.getKey(name).catch((error: unknown) => {
      throw asServiceRefusal(error, `The wrapping key ${name}`);
    });
    const read = { version: versionOf(key), publicKey: publicKeyOf(key), until: now() + CURRENT_FOR_MS };
    current = read;
    return read;
  }

  function clientOf(version: string): CryptographyClient {
    if (!VERSION.test(version)) throw new KeyUnusable('the wrapping key version is not one of a vault');
    const known = clients.get(version);
    if (known !== undefined) return known;
    const [oldest] = clients.keys();
    if (clients.size >= VERSIONS && oldest !== undefined) clients.delete(oldest);
    const made = keys.getCryptographyClient(name, { keyVersion: version });
    clients.set(version, made);
    return made;
  }

  return {
    currentVersion: async () => (await readCurrent()).version,
    async wrap(dataKey, context) {
      const { version, publicKey } = current !== undefined && now() < current.until ? current : await readCurrent();
      const wrapped = publicEncrypt(
        { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        Buffer.concat([dataKey, digestOf(context)]),
      );
      return { wrapped, version };
    },
    async unwrap(key, context) {
      const client = clientOf(key.version);
      const { result } = await client.unwrapKey('RSA-OAEP-256', key.wrapped).catch((error: unknown) => {
        const status = answeredStatus(error);
        if (status === 404)
          throw new KeyUnusable(`the vault has no version ${key.version} of the wrapping key ${name}`);
        if (status === 400) throw new KeyUnusable('the wrapped key or its version was changed');
        throw asServiceRefusal(error, `The wrapping key ${name}`);
      });
      const bytes = Buffer.from(result);
      const at = bytes.byteLength - BINDING;
      if (at < 0 || !timingSafeEqual(bytes.subarray(at), digestOf(context)))
        throw new KeyUnusable('the wrapped key belongs to something else');
      return bytes.subarray(0, at);
    },
  };
}

const digestOf = (context: string): Buffer => createHash('sha256').update(context).digest();

function versionOf({ properties, name }: KeyVaultKey): string {
  if (properties.version === undefined || !VERSION.test(properties.version))
    throw new Error(`The vault did not say which version of the key ${name} is current; is it a Key Vault?`);
  return properties.version;
}

function publicKeyOf({ key, name }: KeyVaultKey): KeyObject {
  const { kty, n, e } = key ?? {};
  if ((kty !== 'RSA' && kty !== 'RSA-HSM') || n === undefined || e === undefined)
    throw new Error(
      `The key ${name} of the vault is not an RSA key (${kty ?? 'no type'}). Data keys are wrapped with RSA-OAEP-256: make an RSA key for it.`,
    );
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  return createPublicKey({ key: { kty: 'RSA', n: text(n), e: text(e) }, format: 'jwk' });
}
