import { describe, expect, test } from 'vitest';
import type { Code } from '../../scripts/infra/code.ts';
import { check, code, edited } from './landing.ts';

const whats = async (id: string, changed: ReadonlyMap<string, string>, against: Partial<Code> = {}): Promise<string> =>
  (await check(changed, against))
    .filter((finding) => finding.check === id)
    .map(({ what }) => what)
    .join('\n');
const unchanged = new Map<string, string>();

describe('templates that went away from the code', () => {
  test.each([
    [
      'at once',
      'workload.bicep',
      'var effectorConcurrency = 4',
      'var effectorConcurrency = 1',
      'hands an instance 4 messages',
    ],
    [
      'at once',
      'workload.bicep',
      'FACTORY_CONCURRENCY: string(effectorConcurrency)',
      'FACTORY_CONCURRENCY: string(workerConcurrency)',
      'not effectorConcurrency',
    ],
    [
      'at once',
      'modules/worker-job.bicep',
      'messageCount: string(concurrency)',
      "messageCount: '1'",
      "runs string(concurrency) jobs at once, and its scaler reckons '1' hints",
    ],
    [
      'at once',
      'workload.bicep',
      "var effectorTimeout = '03:30:00'",
      "var effectorTimeout = '03:00:00'",
      'a function of the effector may run 03:00:00, and a job of it 03:00:00',
    ],
    [
      'at once',
      'workload.bicep',
      '  AzureFunctionsJobHost__functionTimeout: effectorTimeout\n',
      '',
      'a function of the effector may run 00:30:00',
    ],
    [
      'at once',
      'workload.bicep',
      '  AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration: effectorTimeout\n',
      '',
      'locks of the effector are renewed for 00:30:00, and a function of it may run 03:30:00',
    ],
    [
      'sandbox',
      'workload.bicep',
      "item.role == 'verifier'): if (workersReady) {",
      "item.role == 'verifier'): if (!empty(workerImage)) {",
      'verifierJob is made without a sandbox',
    ],
    [
      'sandbox',
      'workload.bicep',
      'var workersReady = !empty(workerImage) && !empty(sandboxImage)',
      'var workersReady = !empty(workerImage)',
      'says nothing of the sandbox',
    ],
    ['ingress', 'modules/ingress-api-management.bicep', "'POST', 'PUT']", "'POST']", 'the API is called by PUT'],
    [
      'settings',
      'workload.bicep',
      "  FACTORY_IDENTITY: 'entra'\n",
      '',
      'control would not start: it refuses FACTORY_IDENTITY',
    ],
    ['settings', 'workload.bicep', "FACTORY_IDENTITY: 'entra'", "FACTORY_IDENTITY: 'saml'", 'refuses FACTORY_IDENTITY'],
    [
      'settings',
      'workload.bicep',
      "  FACTORY_STORE: 'azure-sql'\n",
      "  FACTORY_STORE: 'azure-sql'\n  FACTORY_COLOUR: 'red'\n",
      'control is given FACTORY_COLOUR, and does not read it',
    ],
    [
      'settings',
      'workload.bicep',
      "  FACTORY_SANDBOX: 'sessions'\n",
      "  FACTORY_SANDBOX: 'sessions'\n  FACTORY_STORE: 'azure-sql'\n",
      'verifier is given FACTORY_STORE, and does not read it',
    ],
    [
      'settings',
      'workload.bicep',
      '  FACTORY_STAGING_URL: stagingStorage.outputs.stagingUrl\n',
      '',
      'control would not start: it refuses FACTORY_STAGING_URL',
    ],
    [
      'settings',
      'workload.bicep',
      'FACTORY_ANCHOR_KEY: keyVault.outputs.anchorKeyUri',
      "FACTORY_ANCHOR_KEY: 'https://vault.example.org/keys/factory-evidence-key'",
      'control would not start: it refuses FACTORY_ANCHOR_KEY',
    ],
    [
      'settings',
      'workload.bicep',
      '  FACTORY_SQL_APPLICATION_CLIENT: identities.outputs.control.clientId\n',
      '',
      'migrator would not start: it refuses FACTORY_SQL_APPLICATION_CLIENT',
    ],
    [
      'settings',
      'workload.bicep',
      "  FACTORY_SERVICE_BUS__credential: 'managedidentity'\n",
      '',
      'the triggers of effector connect by FACTORY_SERVICE_BUS__credential',
    ],
    [
      'settings',
      'modules/worker-job.bicep',
      'FACTORY_POOL: pool',
      'FACTORY_POOLS: pool',
      'station would not start: it refuses FACTORY_POOL',
    ],
    [
      'rights',
      'modules/storage-staging.bicep',
      'scope: staging\n',
      'scope: blobs\n',
      'control is told of staging by FACTORY_STAGING_URL and is no blobContributor on it',
    ],
    [
      'rights',
      'modules/keyvault.bicep',
      'scope: anchor\n',
      'scope: evidence\n',
      'control is told of anchor by FACTORY_ANCHOR_KEY and is no keyCryptoUser on it',
    ],
    [
      'settings',
      'workload.bicep',
      "FACTORY_ROLE: 'verifier'",
      "FACTORY_ROLE: 'station'",
      'verifier is told to be station',
    ],
    [
      'settings',
      'modules/function-app.bicep',
      'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
      'APPINSIGHTS_INSTRUMENTATIONKEY',
      'control is given APPINSIGHTS_INSTRUMENTATIONKEY, and does not read it',
    ],
    [
      'queues',
      'shared/pools.bicep',
      "{ name: 'verify', role: 'verifier' }",
      "{ name: 'verify', role: 'station' }",
      'pool name=verify role=verifier',
    ],
    ['queues', 'shared/pools.bicep', "  { name: 'packages', role: 'station' }\n", '', 'pool name=packages'],
    ['queues', 'modules/servicebus.bicep', 'name: pool.name', 'name: pool.role', 'not made from the pools'],
    [
      'roles',
      'shared/pools.bicep',
      "  'verifier'\n  'effector'\n]",
      "  'effector'\n]",
      'roles are control, station, effector',
    ],
    [
      'telemetry',
      'queries/alert-unreported-jobs.kql',
      'worker.job.unreported',
      'worker.job.silent',
      'no code logs worker.job.silent',
    ],
    ['telemetry', 'queries/page-cost.kql', 'factory.cost', 'factory.costs', 'nothing emits factory.costs'],
    ['ingress', 'workload.bicep', "'/runtime/', ", '', '/runtime/ is not closed'],
    ['ingress', 'workload.bicep', "var openPaths = ['/api/v1/*']", "var openPaths = ['/*']", 'opens more'],
  ])('%s: %s, %j → %j', async (id, file, from, to, words) => {
    expect(await whats(id, edited(file, from, to))).toContain(words);
  });
});

describe('code that went away from the templates', () => {
  test('a host that hands out more messages at once, and a method of the API that the gateway does not know', async () => {
    const { host } = code;
    expect(await whats('at once', unchanged, { host: { ...host, messagesAnInstance: 8 } })).toContain(
      'hands an instance 8',
    );
    expect(await whats('at once', unchanged, { host: { ...host, renewal: '00:05:00' } })).toContain(
      'renewed for 00:05:00',
    );
    expect(await whats('at once', unchanged, { effectorJob: '04:00:00' })).toContain('a job of it 04:00:00');
    const methods = new Set([...code.methods, 'PATCH']);
    expect(await whats('ingress', unchanged, { methods })).toContain('the API is called by PATCH');
  });
  test('a setting that is new in the code', async () => {
    expect(await whats('settings', unchanged, { settings: new Set([...code.settings, 'FACTORY_NEW']) })).toContain(
      'the code reads FACTORY_NEW',
    );
  });
  test('a setting that the code no longer reads', async () => {
    const settings = new Set([...code.settings].filter((name) => name !== 'FACTORY_PUBLIC_URL'));
    expect(await whats('settings', unchanged, { settings })).toContain('FACTORY_PUBLIC_URL: no code reads it');
  });
  test('a value that a role refuses', async () => {
    const refusals = (role: string): string[] => (role === 'station' ? ['FACTORY_SANDBOX'] : []);
    expect(await whats('settings', unchanged, { refusals })).toContain(
      'station would not start: it refuses FACTORY_SANDBOX',
    );
  });
  test('a pool that is new in the code', async () => {
    expect(
      await whats('queues', unchanged, { pools: [...code.pools, { name: 'deploy', role: 'effector' }] }),
    ).toContain('the code has a pool name=deploy');
  });
  test('a role that is new in the code', async () => {
    expect(await whats('roles', unchanged, { roles: [...code.roles, 'planner'] })).toContain(
      'role planner has no identity',
    );
  });
  test('a metric that is new in the code', async () => {
    expect(await whats('telemetry', unchanged, { metrics: new Map([...code.metrics, ['factory.new', []]]) })).toContain(
      'the code emits factory.new, and no query shows it',
    );
  });
  test('a metric that the code no longer emits', async () => {
    const metrics = new Map([...code.metrics].filter(([name]) => name !== 'factory.defects.escaped'));
    expect(await whats('telemetry', unchanged, { metrics })).toContain('nothing emits factory.defects.escaped');
  });
  test('a log line that no query shows', async () => {
    expect(await whats('telemetry', unchanged, { events: new Set([...code.events, 'sky.fell']) })).toContain(
      'logs sky.fell',
    );
  });
});

test('what the code says of itself was found at all', () => {
  expect(code.roles).toEqual(['control', 'station', 'verifier', 'effector']);
  expect(code.pools.every((pool) => pool.role !== '')).toBe(true);
  expect(code.events).toContain('worker.job.unreported');
  expect(code.events).toContain('control.failed');
  expect(code.settings).toContain('FACTORY_ROLE');
});
