import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { managedIdentity } from '../../shared/azure/credential.ts';
import type { WorkerCredential } from '../../shared/config/worker.ts';
import { armAt } from '../../shared/effects/azure-deployments/arm.ts';
import { managedIdentityTokens } from '../../shared/jobs/client/managed-identity.ts';
import { serviceBusByIdentity } from '../../shared/outbox/service-bus-by-identity.ts';
import { azureCredential } from '../../shared/worker/azure-credential.ts';

/** The endpoint that App Service gives its apps for tokens (api-version 2019-08-01), on loopback. */
const asked: { readonly url: URL; readonly secret: string | undefined }[] = [];
let status = 200;
const server = createServer((request: IncomingMessage, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  asked.push({ url, secret: request.headers['x-identity-header'] as string | undefined });
  const body =
    status === 200
      ? {
          access_token: `token-${asked.length}`,
          expires_on: String(Math.floor(Date.now() / 1_000) + 3_600),
          resource: url.searchParams.get('resource'),
          token_type: 'Bearer',
          client_id: url.searchParams.get('client_id'),
        }
      : { statusCode: status, message: 'No such identity' };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  status = 200;
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${port}/msi/token`);
  vi.stubEnv('IDENTITY_HEADER', 'the-secret-of-the-app');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a worker's managed identity", () => {
  it('asks the platform for the plane, as the identity that is named, and keeps the token', async () => {
    let now = 0;
    const tokens = managedIdentityTokens(managedIdentity('client-one'), 'api-one', () => now);
    const answers = await Promise.all([tokens.getToken(), tokens.getToken()]);
    expect(answers).toEqual(['token-1', 'token-1']);
    expect(asked).toHaveLength(1);
    const [{ url, secret }] = asked as [(typeof asked)[number]];
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      resource: 'api-one',
      client_id: 'client-one',
      'api-version': '2019-08-01',
    });
    expect(secret).toBe('the-secret-of-the-app');
    now = 3_000_000;
    expect(await tokens.getToken()).toBe('token-1');
    expect(asked).toHaveLength(1);
  });

  it('says what to look at when the platform gives none, and never the secret', async () => {
    status = 400;
    const tokens = managedIdentityTokens(managedIdentity('client-two'), 'api-two', () => 0);
    const refused = await tokens.getToken().catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ code: 'FACTORY-TOKEN-REFUSED' });
    expect(String(refused)).toMatch(/AZURE_CLIENT_ID/);
    expect(String(refused)).not.toContain('the-secret-of-the-app');
    status = 200;
    expect(await tokens.getToken()).toMatch(/^token-/);
  });
});

describe('Service Bus by identity', () => {
  it('takes a host name and no connection string, and does not repeat what it was given', async () => {
    const credential = managedIdentity('client-three');
    const client = serviceBusByIdentity('factory-plane.servicebus.windows.net', credential);
    expect(client.fullyQualifiedNamespace).toBe('factory-plane.servicebus.windows.net');
    await client.close();
    for (const wrong of [
      'Endpoint=sb://factory-plane.servicebus.windows.net/;SharedAccessKey=hush',
      'sb://factory-plane.servicebus.windows.net',
      '',
    ])
      expect(() => serviceBusByIdentity(wrong, credential)).toThrow(/^(?!.*hush).*not a host name such as/);
  });
});

describe("an effector's sign-in to Azure Resource Manager", () => {
  const heard: (string | undefined)[] = [];
  const manager = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.end('{}');
  });
  let url = '';
  beforeAll(async () => {
    manager.listen(0, '127.0.0.1');
    await once(manager, 'listening');
    url = `http://127.0.0.1:${(manager.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    manager.closeAllConnections();
    manager.close();
  });
  beforeEach(() => {
    heard.length = 0;
  });
  const ask = (credential: WorkerCredential) => {
    const request = { what: 'The stack', method: 'GET', path: '/subscriptions', apiVersion: '2024-03-01' } as const;
    return armAt(url, azureCredential(credential)).read(request, new AbortController().signal);
  };

  it('is its managed identity, whose token is for that address', async () => {
    expect(await ask({ kind: 'managed', clientId: 'client-four', audience: 'plane' })).toEqual({});
    expect(heard).toEqual(['Bearer token-1']);
    expect(Object.fromEntries(asked[0]!.url.searchParams)).toMatchObject({ resource: url, client_id: 'client-four' });
  });

  it('is nobody where the platform does not know the identity, and nothing is sent', async () => {
    status = 400;
    const failed = await ask({ kind: 'managed', clientId: 'client-five', audience: 'plane' }).catch((error) => error);
    expect(failed).toMatchObject({ name: 'ArmFailed', fault: 'unsigned' });
    expect(String(failed)).not.toContain('the-secret-of-the-app');
    expect(heard).toEqual([]);
  });

  it("is the person's on a machine without one: not the machine's identity, nor a secret left in the environment", async () => {
    vi.stubEnv('AZURE_CLIENT_SECRET', 'left-behind');
    vi.stubEnv('AZURE_TENANT_ID', 'a-tenant');
    vi.stubEnv('PATH', '/nonexistent');
    const failed = await ask({ kind: 'file', file: '/credential' }).catch((error) => error);
    expect(failed).toMatchObject({ name: 'ArmFailed', fault: 'unsigned', message: expect.stringMatching(/Azure CLI/) });
    expect([asked, heard]).toEqual([[], []]);
  });
});
