import type { Resource } from '../bicep/document.ts';
import { textAt } from '../bicep/value.ts';
import { type Check, type Fault, fault } from '../finding.ts';
import { type Landing, templateOf } from '../landing.ts';
import { settingsOf } from './identity.ts';
import { expectValues } from './network.ts';

/** A resource of a file by its type's last part, checked against values. */
function* expectResource(
  landing: Landing,
  file: string,
  type: string,
  expected: Readonly<Record<string, string>>,
  named?: string,
): Iterable<Fault> {
  const document = templateOf(landing, file);
  const found =
    document?.resources.filter(
      (resource) =>
        !resource.existing && resource.type.endsWith(type) && (named === undefined || resource.name === named),
    ) ?? [];
  if (document === undefined || found.length === 0) yield { where: file, what: `has no ${type}` };
  else for (const resource of found) yield* expectValues(document, resource, expected);
}

function* sql(landing: Landing): Iterable<Fault> {
  const file = 'modules/sql.bicep';
  yield* expectResource(landing, file, 'Sql/servers', {
    'properties.administrators.principalType': 'Group',
    'properties.minimalTlsVersion': '1.2',
  });
  yield* expectResource(landing, file, '/azureADOnlyAuthentications', {
    'properties.azureADOnlyAuthentication': 'true',
  });
  yield* expectResource(landing, file, '/administrators', { 'properties.sid': 'administrators.objectId' });
  yield* expectResource(landing, file, '/auditingSettings', {
    'properties.state': 'Enabled',
    'properties.isAzureMonitorTargetEnabled': 'true',
  });
  yield* expectResource(landing, file, '/backupShortTermRetentionPolicies', {
    'properties.retentionDays': 'backup.pointInTimeDays',
  });
  yield* expectResource(landing, file, '/backupLongTermRetentionPolicies', {
    'properties.weeklyRetention': 'backup.weeklyRetention',
  });
  yield* expectResource(landing, file, 'servers/databases', {
    'properties.requestedBackupStorageRedundancy': 'backup.redundancy',
    'properties.isLedgerOn': 'false',
  });
  if (!templateOf(landing, file)?.text.includes('SQLSecurityAuditEvents'))
    yield { where: file, what: 'the audit is not sent to the workspace' };
}

function* migration(landing: Landing): Iterable<Fault> {
  yield* expectResource(landing, 'modules/migration-job.bicep', 'App/jobs', {
    'properties.configuration.triggerType': 'Manual',
    'properties.configuration.replicaRetryLimit': '0',
  });
  const workload = templateOf(landing, 'workload.bicep');
  const users =
    workload?.modules.filter((module) => module.body.source.includes('identities.outputs.migrator.id')) ?? [];
  if (users.length !== 1 || users[0]?.path !== 'modules/migration-job.bicep')
    yield { where: 'workload.bicep', what: 'the migrator is not the identity of the migration job alone' };
  for (const [role, settings] of settingsOf(landing)) {
    if (role !== 'control' && role !== 'migrator' && settings.source.includes('FACTORY_SQL_'))
      yield { where: 'workload.bicep', what: `${role} is told of the database: only control touches it` };
  }
  const script = landing.files.get('scripts/migrate.sh') ?? '';
  if (!script.includes('containerapp job start'))
    yield { where: 'scripts/migrate.sh', what: 'does not start the migration job inside the network' };
  const entra = landing.files.get('scripts/entra.sh') ?? '';
  if (!entra.includes('ad group member add'))
    yield { where: 'scripts/entra.sh', what: 'does not make the migrator a member of the SQL administrators' };
}

function* vault(landing: Landing): Iterable<Fault> {
  const file = 'modules/keyvault.bicep';
  const document = templateOf(landing, file);
  yield* expectResource(landing, file, 'KeyVault/vaults', {
    'properties.enablePurgeProtection': 'true',
    'properties.enableRbacAuthorization': 'true',
    'properties.enableSoftDelete': 'true',
    'properties.softDeleteRetentionInDays': 'softDeleteDays',
  });
  yield* expectResource(
    landing,
    file,
    'vaults/keys',
    {
      'properties.keyOps': "['wrapKey', 'unwrapKey']",
      'properties.kty': 'RSA',
      'properties.rotationPolicy': 'rotation',
    },
    'wrapping',
  );
  for (const signing of ['evidence', 'anchor'])
    yield* expectResource(
      landing,
      file,
      'vaults/keys',
      {
        'properties.keyOps': "['sign', 'verify']",
        'properties.curveName': 'P-256',
        'properties.rotationPolicy': 'rotation',
      },
      signing,
    );
  const keys = document?.resources.filter((resource) => resource.type.endsWith('vaults/keys')) ?? [];
  if (document !== undefined && keys.length !== 3)
    yield fault(document, 1, `${keys.length} keys: one that wraps and two that sign are all there are`);
  const rotation = document?.variables.find((variable) => variable.name === 'rotation');
  if (!rotation?.value.source.includes("type: 'rotate'")) yield { where: file, what: 'keys do not rotate' };
}

/** ISO 8601 durations as the queues use them: minutes and hours only. */
const seconds = (duration: string | undefined): number => {
  const [, hours = '0', minutes = '0', left = '0'] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(duration ?? '') ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(left);
};

function* bus(landing: Landing): Iterable<Fault> {
  const file = 'modules/servicebus.bicep';
  const document = templateOf(landing, file);
  // Not dead-lettered on expiry, on purpose: a hint that expires is told again, and an idle pool's dead letters would grow for ever.
  yield* expectResource(landing, file, 'namespaces/queues', {
    'properties.requiresDuplicateDetection': 'true',
    'properties.deadLetteringOnMessageExpiration': 'false',
    'properties.maxDeliveryCount': '10',
    'properties.requiresSession': 'false',
  });
  const queue: Resource | undefined = document?.resources.find((resource) =>
    resource.type.endsWith('namespaces/queues'),
  );
  const lock = seconds(textAt(queue?.body, 'properties.lockDuration'));
  if (lock <= 0 || lock > 300)
    yield {
      where: file,
      what: 'lockDuration is not within the five minutes that Service Bus takes; whoever works renews it',
    };
  const life = seconds(textAt(queue?.body, 'properties.defaultMessageTimeToLive'));
  if (life <= 0 || life > 3600)
    yield { where: file, what: 'a hint without a time to live of its own lives longer than an hour' };
  if (seconds(textAt(queue?.body, 'properties.duplicateDetectionHistoryTimeWindow')) < lock)
    yield { where: file, what: 'duplicates are forgotten within a lock' };
  const sku = templateOf(landing, 'main.bicep')?.parameters.find((parameter) => parameter.name === 'busSku');
  if (sku === undefined || sku.fallback !== undefined)
    yield { where: 'main.bicep', what: 'the sku of Service Bus is not decided by environment' };
}

export const dataChecks: readonly Check[] = [
  { id: '15', title: 'SQL: Entra only, group, TLS, audit, backups', run: sql },
  { id: '16', title: 'migration inside the network, under its own identity', run: migration },
  {
    id: '17',
    title: 'Key Vault: RBAC, purge protection, a key that wraps, a key a purpose that signs, rotating',
    run: vault,
  },
  { id: '18', title: 'Service Bus: sku, duplicates, dead letters, deliveries, locks', run: bus },
];
