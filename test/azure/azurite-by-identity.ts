import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ACCOUNT = 'devstoreaccount1';
const VERSION = '2024-11-04';

/**
 * The storage emulator over TLS, taking no shared key in what is asked of it here but tokens, and the endpoint where a process gets them as the managed identity of its
 * app: as near to the service as it gets on one machine. The emulator looks at a token's times, issuer and audience; it proves no signature and knows no roles.
 */
export type StorageByIdentity = {
  readonly clientId: string;
  /** What a process needs to reach it: the token endpoint, and the emulator's certificate. */
  readonly environment: Readonly<Record<string, string>>;
  /** Identities that tokens were asked for. */
  readonly asked: ReadonlySet<string>;
  container(name: string): Promise<string>;
  table(name: string): Promise<string>;
  /** Names of the blobs of a container. */
  blobs(container: string): Promise<string[]>;
  /** Entities of a table, as the service shows them. */
  entities(table: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
};

export async function startStorageByIdentity(): Promise<StorageByIdentity> {
  const directory = mkdtempSync(path.join(tmpdir(), 'factory-azurite-tls-'));
  const [key, certificate] = [path.join(directory, 'key.pem'), path.join(directory, 'certificate.pem')];
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=azurite -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${certificate}`.split(
      ' ',
    ),
    { stdio: 'pipe' },
  );
  const { ended, addresses, kill } = await startEmulator(directory, key, certificate);
  const clientId = randomUUID();
  const asked = new Set<string>();
  const tokens = createServer((incoming: IncomingMessage, response) => {
    const query = new URL(incoming.url ?? '/', 'http://localhost').searchParams;
    asked.add(query.get('client_id') ?? '');
    const resource = query.get('resource') ?? '';
    const body = {
      access_token: tokenFor(resource),
      expires_on: String(Math.floor(Date.now() / 1_000) + 3_600),
      resource,
      token_type: 'Bearer',
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  tokens.listen(0, '127.0.0.1');
  await once(tokens, 'listening');
  const ca = readFileSync(certificate);
  const call = (method: string, url: string, body = '', headers: Record<string, string> = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          method,
          ca,
          headers: {
            authorization: `Bearer ${tokenFor('https://storage.azure.com')}`,
            'x-ms-version': VERSION,
            'content-length': Buffer.byteLength(body),
            ...headers,
          },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('end', () =>
            (answer.statusCode ?? 500) < 300 ? resolve(text) : reject(new Error(`${answer.statusCode} ${text}`)),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  const json = { accept: 'application/json;odata=nometadata', 'content-type': 'application/json' };
  return {
    clientId,
    asked,
    environment: {
      IDENTITY_ENDPOINT: `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/msi/token`,
      IDENTITY_HEADER: 'the-secret-of-the-app',
      NODE_EXTRA_CA_CERTS: certificate,
    },
    async container(name) {
      const url = `${addresses.get('Blob')}/${ACCOUNT}/${name}`;
      await call('PUT', `${url}?restype=container`);
      return url;
    },
    async table(name) {
      const service = `${addresses.get('Table')}/${ACCOUNT}`;
      await call('POST', `${service}/Tables`, JSON.stringify({ TableName: name }), json);
      return `${service}/${name}`;
    },
    async blobs(container) {
      const text = await call('GET', `${container}?restype=container&comp=list`);
      return [...text.matchAll(/<Name>([^<]+)<\/Name>/g)].map(([, name = '']) => name);
    },
    entities: async (table) =>
      (JSON.parse(await call('GET', `${table}()`, '', json)) as { value: Record<string, unknown>[] }).value,
    async stop() {
      tokens.closeAllConnections();
      tokens.close();
      kill();
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function startEmulator(directory: string, key: string, certificate: string) {
  const script = fileURLToPath(import.meta.resolve('azurite/dist/src/azurite.js'));
  const options = ['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--oauth', 'basic'];
  const child = spawn(
    process.execPath,
    [
      script,
      ...['--location', directory, '--key', key, '--cert', certificate, ...options],
      ...['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  const left = (): void => void child.kill('SIGKILL');
  process.once('exit', left);
  void ended.then(() => process.removeListener('exit', left));
  const addresses = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, service, address] =
      /^Azurite (\w+) service (?:is )?successfully listen\w* (?:at|on) (\S+)$/.exec(line) ?? [];
    if (service !== undefined && address !== undefined) addresses.set(service, address);
    if (['Blob', 'Queue', 'Table'].every((name) => addresses.has(name))) break;
  }
  child.stdout.resume();
  return { ended, addresses, kill: () => child.kill('SIGTERM') };
}

/** A token in the form that Entra ID gives them, signed by nobody. */
function tokenFor(audience: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tenant = '3f0c1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11';
  const claims = {
    aud: audience,
    iss: `https://sts.windows.net/${tenant}/`,
    iat: now,
    nbf: now - 60,
    exp: now + 3_600,
  };
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ ...claims, tid: tenant, oid: tenant })}.${part('unsigned')}`;
}
