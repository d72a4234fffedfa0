import { textAt, type Value, within } from '../bicep/value.ts';
import type { Check, Fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { settingsOf } from './identity.ts';
import { expectValues } from './network.ts';

/** Flex Consumption takes these from functionAppConfig, or not at all. */
const REFUSED_BY_FLEX = [
  'FUNCTIONS_WORKER_RUNTIME',
  'FUNCTIONS_EXTENSION_VERSION',
  'WEBSITE_CONTENTAZUREFILECONNECTIONSTRING',
  'WEBSITE_CONTENTSHARE',
  'WEBSITE_RUN_FROM_PACKAGE',
  'WEBSITE_NODE_DEFAULT_VERSION',
  'WEBSITE_TIME_ZONE',
  'WEBSITE_LOAD_CERTIFICATES',
];

function* flex(landing: Landing): Iterable<Fault> {
  const file = 'modules/function-app.bicep';
  const document = templateOf(landing, file);
  if (document === undefined) return yield { where: file, what: 'is missing' };
  for (const name of REFUSED_BY_FLEX)
    for (const template of landing.templates)
      if (template.text.includes(name))
        yield { where: template.file, what: `${name} must not be set on Flex Consumption` };
  for (const resource of document.resources) {
    if (resource.type === 'Microsoft.Web/serverfarms')
      yield* expectValues(document, resource, { 'sku.name': 'FC1', 'properties.reserved': 'true' });
    if (resource.type === 'Microsoft.Web/sites')
      yield* expectValues(document, resource, {
        'properties.httpsOnly': 'true',
        'properties.serverFarmId': 'plan.id',
        'properties.virtualNetworkSubnetId': 'subnetId',
        'properties.functionAppConfig.runtime.name': 'node',
        'properties.functionAppConfig.runtime.version': 'nodeVersion',
        'properties.functionAppConfig.deployment.storage.authentication.type': 'UserAssignedIdentity',
        'properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB': 'scale.instanceMemoryMB',
        'properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount': 'scale.maximumInstanceCount',
        'properties.functionAppConfig.scaleAndConcurrency.alwaysReady': 'scale.alwaysReady',
      });
  }
  const version = templateOf(landing, 'main.bicep')?.parameters.find((parameter) => parameter.name === 'nodeVersion');
  if (version?.type !== "'22' | '24'")
    yield { where: 'main.bicep', what: `nodeVersion is ${version?.type ?? 'missing'}, not '22' | '24'` };
}

function* durable(landing: Landing): Iterable<Fault> {
  const main = templateOf(landing, 'main.bicep');
  const backend = main?.parameters.find((parameter) => parameter.name === 'durableBackend');
  if (backend?.type !== "'dts' | 'azureStorage'" || backend.fallback !== undefined)
    yield { where: 'main.bicep', what: 'the durable backend is not an explicit choice of dts or azureStorage' };
  const workload = templateOf(landing, 'workload.bicep');
  const hub = workload?.variables.find((variable) => variable.name === 'taskHub');
  if (!hub?.value.source.includes('environmentName'))
    yield { where: 'workload.bicep', what: 'environments share a task hub' };
  const scheduler = templateOf(landing, 'modules/durable-task.bicep');
  if (
    !scheduler?.resources.some(
      (resource) => resource.type.endsWith('/retentionPolicies') && resource.body.source.includes('retentionDays'),
    )
  )
    yield { where: 'modules/durable-task.bicep', what: 'ended instances are kept without an end' };
  const made = textAt(scheduler?.resources.find((resource) => resource.type.endsWith('/taskHubs'))?.body, 'name');
  // Storage hubs take letters and digits only.
  if (
    hub?.value.kind !== 'choice' ||
    textAt(holder(hub.value.then), 'v') !== made ||
    !/^'[a-z]+\$\{environmentName\}'$/.test(hub.value.otherwise.source)
  )
    yield { where: 'workload.bicep', what: 'the hub that is named is not the hub that is made' };
  const parts = settingsOf(landing);
  const given = new Set(
    [parts.get('control'), parts.get('scheduler')]
      .flatMap((part) => (part === undefined ? [] : [...within(part)]))
      .flatMap((part) => (part.kind === 'object' ? part.properties.map(({ name }) => name) : [])),
  );
  for (const [backendName, type] of [
    ['dts', 'azureManaged'],
    ['azure-storage', 'AzureStorage'],
  ] as const) {
    const host = landing.files.get(`host/${backendName}.json`) ?? '';
    if (!host.includes(`"${type}"`) || !host.includes('%TASKHUB_NAME%'))
      yield { where: `host/${backendName}.json`, what: 'does not name the backend and the hub of the settings' };
    for (const [, hubSetting, connection] of host.matchAll(/"%(\w+)%"|"connectionStringName": "(\w+)"/g)) {
      const name = hubSetting ?? connection ?? '';
      if (!given.has(name))
        yield {
          where: 'workload.bicep',
          what: `control is not given ${name}, which host/${backendName}.json rests on`,
        };
    }
  }
}

const holder = (value: Value): Value => ({
  kind: 'object',
  source: value.source,
  line: value.line,
  properties: [{ name: 'v', value }],
});

function* zones(landing: Landing): Iterable<Fault> {
  const expected: readonly (readonly [string, string, string])[] = [
    ['modules/function-app.bicep', 'Web/serverfarms', 'properties.zoneRedundant'],
    ['modules/sql.bicep', 'servers/databases', 'properties.zoneRedundant'],
    ['modules/servicebus.bicep', 'ServiceBus/namespaces', 'properties.zoneRedundant'],
    ['modules/container-environment.bicep', '/managedEnvironments', 'properties.zoneRedundant'],
    ['modules/container-registry.bicep', '/registries', 'properties.zoneRedundancy'],
    ['modules/storage-host.bicep', '/storageAccounts', 'sku.name'],
    ['modules/storage-staging.bicep', '/storageAccounts', 'sku.name'],
  ];
  for (const [file, type, path] of expected) {
    const document = templateOf(landing, file);
    const resource = document?.resources.find((item) => !item.existing && item.type.endsWith(type));
    if (!textAt(resource?.body, path)?.includes('site.zoneRedundant'))
      yield { where: file, what: `${path} does not follow zoneRedundant` };
  }
  for (const file of landing.parameterFiles) {
    const text = (name: string): string =>
      file.variables.find((variable) => variable.name === name)?.value.source ?? '';
    if (text('zoneRedundant') !== 'true') continue;
    if (!/ZRS'/.test(text('artifactSku')))
      yield { where: file.file, what: 'zone redundant with artifacts in one zone' };
    for (const app of ['controlScale', 'effectorScale'])
      if (!text(app).includes('instanceCount') || /instanceCount: [01]\b/.test(text(app)))
        yield { where: file.file, what: `zone redundant with fewer than two ready instances in ${app}` };
    if (text('durableBackend') === "'dts'" && text('dtsSku') === "'Dedicated'" && text('dtsCapacity') !== '3')
      yield { where: file.file, what: 'a scheduler with fewer than three units is not highly available' };
    if (!/Zone|Geo/.test(text('backup'))) yield { where: file.file, what: 'zone redundant with backups in one zone' };
  }
}

export const computeChecks: readonly Check[] = [
  {
    id: '19',
    title: 'Flex Consumption: settings, runtime, memory, scale, ready instances, package identity',
    run: flex,
  },
  { id: '20', title: 'durable backend explicit, a hub an environment, retention', run: durable },
  { id: '21', title: 'zones agree across services', run: zones },
];
