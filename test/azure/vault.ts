import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, sign } from 'node:crypto';
import type { KeyClientOptions } from '@azure/keyvault-keys';
import { keyClient } from '../../shared/azure/azure-parts.ts';

type HttpClient = NonNullable<KeyClientOptions['httpClient']>;
type Answer = Awaited<ReturnType<HttpClient['sendRequest']>>;
type Version = { readonly version: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/**
 * The vault's side of its protocol, in this process, for the unmodified client: a challenge first, then keys, signatures and unwrapping by node:crypto.
 * A signature is raw `r ‖ s`, as the service answers it.
 */
export class Vault {
  readonly url = 'https://plane-test.vault.azure.net';
  readonly calls: string[] = [];
  readonly versions: Version[] = [];
  /** Answers the next call about a key with this status. */
  failing: number | undefined;
  /** Breaks what a signature is over. */
  lying = false;

  rotate(kind: 'rsa' | 'ec' | 'p384'): string {
    const version = String(this.versions.length + 1).repeat(32);
    const pair =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: kind === 'ec' ? 'P-256' : 'P-384' });
    this.versions.push({ version, ...pair });
    return version;
  }

  client() {
    const credential = { getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const httpClient: HttpClient = { sendRequest: async (request) => this.#answer(request) };
    return keyClient(this.url, credential, { httpClient, retryOptions: { maxRetries: 0 } });
  }

  #answer(request: Parameters<HttpClient['sendRequest']>[0]): Answer {
    const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
      request,
      status,
      headers: headersOf({ 'content-type': 'application/json', ...headers }),
      bodyAsText: JSON.stringify(body),
    });
    if (request.headers.get('authorization') !== 'Bearer a-token') {
      this.calls.push('challenge');
      const challenge = `Bearer authorization="https://login.microsoftonline.com/a-tenant", resource="https://vault.azure.net"`;
      return answer(401, {}, { 'www-authenticate': challenge });
    }
    const [, , name, asked, verb = 'get'] = new URL(request.url).pathname.split('/');
    this.calls.push(verb);
    if (this.failing !== undefined) return answer(this.failing, { error: { code: 'Failing', message: 'as told' } });
    const key = this.versions.find((each) => each.version === asked) ?? (asked ? undefined : this.versions.at(-1));
    if (key === undefined) return answer(404, { error: { code: 'KeyNotFound', message: `no ${name}/${asked}` } });
    const kid = `${this.url}/keys/${name}/${key.version}`;
    if (verb === 'get')
      return answer(200, {
        key: { kid, ...key.publicKey.export({ format: 'jwk' }), key_ops: ['wrapKey', 'unwrapKey', 'sign', 'verify'] },
        attributes: { enabled: true, created: 1_700_000_000, updated: 1_700_000_000 },
      });
    const { alg, value } = JSON.parse(String(request.body)) as { alg: string; value: string };
    const bytes = Buffer.from(value, 'base64url');
    try {
      const result = this.#operate(key.privateKey, verb, alg, bytes);
      return answer(200, { kid, value: result.toString('base64url') });
    } catch (error) {
      return answer(400, { error: { code: 'BadParameter', message: String(error) } });
    }
  }

  #operate(key: KeyObject, verb: string, algorithm: string, bytes: Buffer): Buffer {
    if (verb === 'unwrapkey' && algorithm === 'RSA-OAEP-256')
      return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, bytes);
    if (verb === 'sign' && algorithm === 'ES256') {
      if (bytes.byteLength !== 32) throw new Error('the digest is not one of SHA-256');
      return signDigest(key, this.lying ? Buffer.alloc(32, 1) : bytes);
    }
    throw new Error(`${verb} with ${algorithm} is not offered`);
  }
}

/** What each digest is of: node:crypto signs messages alone, so tests say which message they hand over. */
const messages = new Map<string, Uint8Array>();
export function willSign(digest: Uint8Array, message: Uint8Array): void {
  messages.set(Buffer.from(digest).toString('hex'), message);
}

function signDigest(key: KeyObject, digest: Buffer): Buffer {
  const message = messages.get(digest.toString('hex')) ?? Buffer.from('something else');
  return sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
}

function headersOf(given: Readonly<Record<string, string>>): Answer['headers'] {
  const kept = new Map(Object.entries(given));
  return {
    get: (name) => kept.get(name.toLowerCase()),
    has: (name) => kept.has(name.toLowerCase()),
    set: (name, value) => void kept.set(name.toLowerCase(), String(value)),
    delete: (name) => void kept.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(kept),
    [Symbol.iterator]: () => kept.entries(),
  };
}
