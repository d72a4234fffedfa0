import { describe, expect, test } from 'vitest';
import { allChecks } from '../../scripts/infra/checks/all.ts';
import { check, code, edited } from './landing.ts';

/** For each check of the review a change of the real templates that it must catch: check, file, from, to, words of the finding. */
const FAULTS: readonly (readonly [string, string, string, string, string])[] = [
  [
    '1',
    'bicepconfig.json',
    '"no-unused-params": { "level": "error" }',
    '"no-unused-params": { "level": "warning" }',
    'not raised to error',
  ],
  [
    '1',
    'workload.bicep',
    "module sql 'modules/sql.bicep'",
    "module sql 'br/public:avm/res/sql/server:0.22.0'",
    'built offline',
  ],
  [
    '2',
    'modules/sql.bicep',
    "'Microsoft.Sql/servers@2023-08-01'",
    "'Microsoft.Sql/servers@2024-05-01-preview'",
    'pinned to 2023-08-01',
  ],
  [
    '2',
    'modules/budget.bicep',
    'resource budget',
    "resource cache 'Microsoft.Cache/redis@2024-11-01' = {\n  name: 'x'\n}\n\nresource budget",
    'not in resource-kinds.ts',
  ],
  [
    '3',
    'modules/storage-host.bicep',
    'output queueEndpoint string = account.properties.primaryEndpoints.queue',
    'output queueEndpoint string = account.listKeys().keys[0].value',
    'secret',
  ],
  [
    '3',
    'modules/monitoring.bicep',
    'output insightsId string = insights.id',
    'output insightsId string = insights.properties.ConnectionString',
    'gives away',
  ],
  ['4', 'modules/budget.bicep', "@description('Currency units a month.')\n", '', 'no description'],
  ['4', 'modules/budget.bicep', '@minValue(1)\n', '', 'unbounded'],
  [
    '5',
    'modules/sql.bicep',
    "name: resourceName('sql', workload, environmentName, token)",
    "name: 'sql-factory'",
    'names.bicep',
  ],
  ['5', 'modules/servicebus.bicep', "resourceName('sb',", "resourceName('servicebus-namespace-of',", 'takes 50'],
  ['5', 'workload.bicep', "name: 'key-vault'", "name: 'sql'", 'two deployments'],
  ['6', 'modules/keyvault.bicep', '  tags: site.tags\n', '', 'no tags'],
  [
    '7',
    'modules/storage-artifacts.bicep',
    "publicNetworkAccess: private ? 'Disabled' : 'Enabled'",
    "publicNetworkAccess: 'Enabled'",
    'publicNetworkAccess',
  ],
  ['7', 'modules/keyvault.bicep', "defaultAction: 'Deny'", "defaultAction: 'Allow'", 'deny by default'],
  ['7', 'modules/storage-host.bicep', "replace(range, '/32', '')", 'range', 'storage refuses a range of /32'],
  ['7', 'main.prod.bicepparam', "param busSku = 'Premium'", "param busSku = 'Standard'", 'Premium'],
  [
    '8',
    'modules/storage-host.bicep',
    "['blob', 'queue', 'table']",
    "['blob', 'queue']",
    'no private endpoint of table',
  ],
  [
    '8',
    'modules/private-dns.bicep',
    "{ group: 'vault', name: 'privatelink.vaultcore.azure.net' }\n",
    '',
    'no private DNS zone',
  ],
  ['9', 'modules/network.bicep', "name: 'snet-control'", "name: 'snet_control'", 'underscore'],
  [
    '9',
    'modules/network.bicep',
    'defaultOutboundAccess: false',
    'defaultOutboundAccess: true',
    'defaultOutboundAccess',
  ],
  ['9', 'workload.bicep', 'subnetId: subnetIds.effector', 'subnetId: subnetIds.control', "one app's"],
  [
    '10',
    'workload.bicep',
    'empty(existingPrivateDnsZoneIds) && !policyManagedPrivateDns',
    'empty(existingPrivateDnsZoneIds)',
    'kept by policy',
  ],
  ['11', 'modules/servicebus.bicep', 'disableLocalAuth: true', 'disableLocalAuth: false', 'disableLocalAuth'],
  [
    '11',
    'modules/storage-artifacts.bicep',
    'allowSharedKeyAccess: false',
    'allowSharedKeyAccess: true',
    'allowSharedKeyAccess',
  ],
  [
    '12',
    'workload.bicep',
    '  FACTORY_SERVICE_BUS__clientId: identities.outputs.effector.clientId\n',
    '',
    'which identity is left open',
  ],
  [
    '12',
    'workload.bicep',
    'AZURE_CLIENT_ID: identities.outputs.verifier.clientId',
    'AZURE_CLIENT_ID: identities.outputs.effector.clientId',
    'identity of effector',
  ],
  [
    '12',
    'modules/worker-job.bicep',
    "{ identity: pullerId, lifecycle: 'None' }",
    "{ identity: pullerId, lifecycle: 'All' }",
    'available inside',
  ],
  ['13', 'modules/storage-artifacts.bicep', 'scope: artifacts', 'scope: account', 'not the narrowest scope'],
  [
    '13',
    'shared/roles.bicep',
    'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    'by this id',
  ],
  [
    '13',
    'modules/keyvault.bicep',
    'guid(wrapping.id, controlPrincipalId, roleIds.keyCryptoUser)',
    "guid('wrapping')",
    'no guid of',
  ],
  [
    '14',
    'modules/servicebus.bicep',
    'principalId: principalOfRole[pool.role]\n    principalType',
    'principalId: controlPrincipalId\n    principalType',
    'not queue by queue',
  ],
  ['15', 'modules/sql.bicep', "principalType: 'Group'", "principalType: 'User'", 'principalType'],
  [
    '15',
    'modules/sql.bicep',
    "{ category: 'SQLSecurityAuditEvents', enabled: true }",
    "{ categoryGroup: 'audit', enabled: true }",
    'audit is not sent',
  ],
  [
    '16',
    'workload.bicep',
    'migratorId: identities.outputs.migrator.id',
    'migratorId: identities.outputs.control.id',
    'migrator',
  ],
  [
    '16',
    'workload.bicep',
    "  FACTORY_ROLE: 'verifier'\n",
    "  FACTORY_ROLE: 'verifier'\n  FACTORY_SQL_SERVER: sql.outputs.serverHostName\n",
    'only control touches it',
  ],
  [
    '17',
    'modules/keyvault.bicep',
    "keyOps: ['wrapKey', 'unwrapKey']",
    "keyOps: ['wrapKey', 'unwrapKey', 'sign']",
    'keyOps',
  ],
  [
    '17',
    'modules/keyvault.bicep',
    'enablePurgeProtection: true',
    'enablePurgeProtection: false',
    'enablePurgeProtection',
  ],
  [
    '18',
    'modules/servicebus.bicep',
    'requiresDuplicateDetection: true',
    'requiresDuplicateDetection: false',
    'requiresDuplicateDetection',
  ],
  [
    '18',
    'modules/servicebus.bicep',
    'deadLetteringOnMessageExpiration: false',
    'deadLetteringOnMessageExpiration: true',
    'deadLettering',
  ],
  ['18', 'modules/servicebus.bicep', "lockDuration: 'PT1M'", "lockDuration: 'PT30M'", 'five minutes'],
  [
    '19',
    'modules/function-app.bicep',
    'var platformSettings = {\n',
    "var platformSettings = {\n  FUNCTIONS_WORKER_RUNTIME: 'node'\n",
    'must not be set',
  ],
  [
    '19',
    'modules/function-app.bicep',
    "authentication: { type: 'UserAssignedIdentity'",
    "authentication: { type: 'StorageAccountConnectionString'",
    'authentication.type',
  ],
  [
    '20',
    'main.bicep',
    "param durableBackend 'dts' | 'azureStorage'",
    "param durableBackend 'dts' | 'azureStorage' = 'dts'",
    'explicit choice',
  ],
  ['20', 'workload.bicep', '  TASKHUB_NAME: taskHub\n', '', 'not given TASKHUB_NAME, which host/dts.json'],
  [
    '20',
    'workload.bicep',
    "var taskHub = onScheduler ? 'factory-",
    "var taskHub = onScheduler ? 'hub-",
    'not the hub that is made',
  ],
  [
    '21',
    'modules/sql.bicep',
    'zoneRedundant: site.zoneRedundant',
    'zoneRedundant: false',
    'does not follow zoneRedundant',
  ],
  [
    '21',
    'main.prod.bicepparam',
    "param artifactSku = 'Standard_GZRS'",
    "param artifactSku = 'Standard_GRS'",
    'artifacts in one zone',
  ],
  [
    '21',
    'main.prod.bicepparam',
    "{ name: 'durable', instanceCount: 2 }",
    "{ name: 'durable', instanceCount: 1 }",
    'fewer than two',
  ],
  [
    '22',
    'modules/container-registry.bicep',
    'scope: registry\n  properties: {\n    workspaceId',
    'scope: puller\n  properties: {\n    workspaceId',
    'no diagnostic settings',
  ],
  [
    '23',
    'modules/alerts.bicep',
    'actions: { actionGroups: [actionGroupId] }',
    'actions: { actionGroups: [] }',
    'tells nobody',
  ],
  ['23', 'modules/alerts.bicep', 'threshold: thresholds.deadLetters', 'threshold: 25', 'not a parameter'],
  ['24', 'queries/alert-server-errors.kql', 'sum(ItemCount)', 'count()', 'rows of a sample'],
  ['24', 'queries/page-cost.kql', 'Properties.currency', 'Properties.money', 'no dimension money'],
  ['24', 'queries/page-anchors.kql', 'AppMetrics', 'AppMetric', 'writes a table AppMetric'],
  ['24', 'modules/workbook.bicep', "'../queries/page-anchors.kql'", "'../queries/page-line.kql'", 'no page anchors'],
  ['25', 'modules/durable-task.bicep', "level: 'CanNotDelete'", "level: 'ReadOnly'", 'CanNotDelete'],
  [
    '25',
    'modules/sql.bicep',
    'scope: server\n  properties: { level',
    'scope: database\n  properties: { level',
    'has no lock',
  ],
  [
    '26',
    'modules/budget.bicep',
    'timePeriod: { startDate: startDate }',
    "timePeriod: { startDate: utcNow('yyyy-MM-01') }",
    'changes with every deployment',
  ],
  [
    '26',
    'modules/servicebus.bicep',
    'requiresSession: false',
    'requiresSession: premium ? true : false',
    "can't change once made",
  ],
  ['27', 'main.dev.bicepparam', 'param workerConcurrency = 1', 'param workerConcurrency = 2', 'differs from prod'],
  ['27', 'main.prod.bicepparam', "param sqlSku = 'GP_Gen5'\n", '', 'does not set sqlSku'],
  ['27', 'main.prod.bicepparam', 'param sqlVCores = 4', 'param sqlCores = 4', 'no parameter sqlCores'],
  ['28', 'scripts/preflight.sh', 'Microsoft.DurableTask ', '', 'Microsoft.DurableTask is registered'],
  ['29', 'runbook.md', '## Region failover', '## Elsewhere', 'no chapter Region failover'],
];

test('the landing zone passes every check', async () => {
  expect(await check()).toEqual([]);
});

test('each of the 29 checks has an example that it catches', () => {
  const numbers = allChecks(code)
    .map(({ id }) => id)
    .filter((id) => /^\d+$/.test(id));
  expect(numbers).toEqual(Array.from({ length: 29 }, (_, index) => String(index + 1)));
  expect([...new Set(FAULTS.map(([id]) => id))]).toEqual(numbers);
});

describe('a fault is found', () => {
  test.each(FAULTS)('check %s: %s, %j → %j', async (id, file, from, to, words) => {
    const found = (await check(edited(file, from, to))).filter((finding) => finding.check === id);
    expect(found.map(({ what }) => what).join('\n')).toContain(words);
  });
});
