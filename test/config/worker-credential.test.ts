import { expect, test } from 'vitest';
import { readContainerSettings } from '../../shared/config/container.ts';
import { readWorkerSettings } from '../../shared/config/worker.ts';
import { sandboxOf } from '../../shared/worker/sandbox.ts';

const guid = '3f0c1c5e-0a58-4a7e-9f5e-0a5b5f7c7d11';
const worker = { FACTORY_CONTROL_URL: 'https://plane.example.com', FACTORY_DATA: '/data' };
const managed = { ...worker, AZURE_CLIENT_ID: guid, FACTORY_AUDIENCE: guid };

test('a worker shows the tokens of a managed identity, or a credential of its own, and never both or half of one', () => {
  expect(readWorkerSettings(managed).credential).toEqual({ kind: 'managed', clientId: guid, audience: guid });
  expect(() => readWorkerSettings(worker)).toThrow('FACTORY_CREDENTIAL_FILE: is not set, and AZURE_CLIENT_ID');
  expect(() => readWorkerSettings({ ...managed, FACTORY_AUDIENCE: '' })).toThrow('FACTORY_AUDIENCE: is not set');
  expect(() => readWorkerSettings({ ...managed, FACTORY_CREDENTIAL_FILE: '/x' })).toThrow('one identity');
  expect(() => readWorkerSettings({ ...managed, AZURE_CLIENT_ID: 'me' })).toThrow('AZURE_CLIENT_ID');
});

test('nothing runs without isolation beside a managed identity', () => {
  const settings = readWorkerSettings({ ...managed, FACTORY_SANDBOX: 'process' });
  expect(() => sandboxOf(settings, {})).toThrow(/refused in Azure/);
  const file = readWorkerSettings({ ...worker, FACTORY_CREDENTIAL_FILE: '/x', FACTORY_SANDBOX: 'process' });
  expect(sandboxOf(file, {}).kind).toBe('process');
  for (const name of ['WEBSITE_INSTANCE_ID', 'IDENTITY_ENDPOINT'])
    expect(() => sandboxOf(file, { [name]: 'x' })).toThrow(/refused in Azure/);
});

test('a session pool is named whole, and reached under a managed identity alone', () => {
  const FACTORY_SESSION_POOL = 'https://pool.environment.westeurope.azurecontainerapps.io';
  const sessions = { ...managed, FACTORY_SANDBOX: 'sessions', FACTORY_SESSION_POOL };
  const settings = readWorkerSettings(sessions);
  expect([settings.sandbox, settings.sessionPool]).toEqual(['sessions', FACTORY_SESSION_POOL]);
  expect(sandboxOf(settings, { IDENTITY_ENDPOINT: 'x' })).toMatchObject({ kind: 'sessions', isolation: 'isolated' });
  const file = { ...worker, FACTORY_CREDENTIAL_FILE: '/x', FACTORY_SANDBOX: 'sessions', FACTORY_SESSION_POOL };
  expect(() => readWorkerSettings(file)).toThrow('AZURE_CLIENT_ID: is not set, and a session pool');
  expect(() => readWorkerSettings({ ...sessions, FACTORY_SESSION_POOL: '' })).toThrow(
    'FACTORY_SESSION_POOL: is not set',
  );
  expect(() => readWorkerSettings({ ...sessions, FACTORY_SANDBOX: '' })).toThrow('one of the two is a mistake');
  for (const wrong of [
    'http://pool.example.com',
    `${FACTORY_SESSION_POOL}?identifier=x`,
    'https://me:secret@pool.example.com',
  ])
    expect(() => readWorkerSettings({ ...sessions, FACTORY_SESSION_POOL: wrong })).toThrow('  FACTORY_SESSION_POOL: ');
  const secret = 'https://me:secret@pool.example.com';
  expect(() => readWorkerSettings({ ...sessions, FACTORY_SESSION_POOL: secret })).not.toThrow(/secret/);
});

test('Azure Resource Manager is named by its address alone, and reached over https', () => {
  const named = (FACTORY_RESOURCE_MANAGER_URL: string) =>
    readWorkerSettings({ ...managed, FACTORY_RESOURCE_MANAGER_URL });
  expect(named('https://management.chinacloudapi.cn/').resourceManager).toBe('https://management.chinacloudapi.cn/');
  expect(named('http://127.0.0.1:1').resourceManager).toBe('http://127.0.0.1:1');
  for (const wrong of [
    'http://management.azure.com',
    'https://management.azure.com/subscriptions',
    'https://management.azure.com?api-version=1',
    'https://me:secret@management.azure.com',
  ])
    expect(() => named(wrong)).toThrow('  FACTORY_RESOURCE_MANAGER_URL: ');
});

test('a container has a pool of its role, and hints under its identity', () => {
  const container = { FACTORY_ROLE: 'verifier', FACTORY_POOL: 'verify' };
  expect(readContainerSettings(container)).toEqual({ role: 'verifier', pool: 'verify', hints: undefined });
  const namespace = 'plane.servicebus.windows.net';
  const bus = { ...container, FACTORY_SERVICE_BUS__fullyQualifiedNamespace: namespace };
  expect(readContainerSettings({ ...bus, AZURE_CLIENT_ID: guid }).hints).toEqual({ namespace, clientId: guid });
  expect(() => readContainerSettings(bus)).toThrow('AZURE_CLIENT_ID');
  expect(() => readContainerSettings({ ...container, FACTORY_POOL: 'build' })).toThrow('FACTORY_POOL: is none');
  expect(() => readContainerSettings({ FACTORY_ROLE: 'control' })).toThrow(/FACTORY_ROLE(.|\n)*FACTORY_POOL/);
});
