metadata description = 'Azure SQL: the truth of the plane. Entra only; the administrators are a group; control is a contained user without DDL, made by the migration job.'
import { siteType, groupType, backupType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'

@description('Where and how.')
param site siteType
@description('Workload part of names.')
@minLength(2)
@maxLength(8)
param workload string
@description('Environment part of names.')
@minLength(2)
@maxLength(6)
param environmentName string
@description('Token of the resource group, 13 characters.')
@minLength(13)
@maxLength(13)
param token string
@description('Entra group of the administrators; the migrator is a member.')
param administrators groupType
@description('Sku of the database, e.g. GP_S_Gen5 (serverless) or GP_Gen5. The DTU tiers have no zones.')
@allowed(['GP_S_Gen5', 'GP_Gen5', 'BC_Gen5', 'HS_Gen5'])
param sku string
@description('Virtual cores.')
@minValue(1)
@maxValue(80)
param vCores int
@description('Minutes without use after which a serverless database pauses; -1 for never. The sweepers keep it awake anyway.')
@minValue(-1)
param autoPauseMinutes int
@description('Size limit in GiB.')
@minValue(1)
@maxValue(4096)
param maxSizeGib int
@description('Backups.')
param backup backupType

var private = site.networkMode == 'private'
var serverless = startsWith(sku, 'GP_S')

resource server 'Microsoft.Sql/servers@2023-08-01' = {
  name: resourceName('sql', workload, environmentName, token)
  location: site.location
  tags: site.tags
  properties: {
    // Honoured when the server is made; later changes go through the child below.
    administrators: {
      administratorType: 'ActiveDirectory'
      azureADOnlyAuthentication: true
      login: administrators.name
      principalType: 'Group'
      sid: administrators.objectId
      tenantId: tenant().tenantId
    }
    minimalTlsVersion: '1.2'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    restrictOutboundNetworkAccess: 'Enabled'
    version: '12.0'
  }
}

resource administrator 'Microsoft.Sql/servers/administrators@2023-08-01' = {
  parent: server
  name: 'ActiveDirectory'
  properties: {
    administratorType: 'ActiveDirectory'
    login: administrators.name
    sid: administrators.objectId
    tenantId: tenant().tenantId
  }
}

resource entraOnly 'Microsoft.Sql/servers/azureADOnlyAuthentications@2023-08-01' = {
  parent: server
  name: 'Default'
  properties: { azureADOnlyAuthentication: true }
  dependsOn: [administrator]
}

resource firewall 'Microsoft.Sql/servers/firewallRules@2023-08-01' = [for (range, index) in site.allowedIpRanges: if (!private) {
  parent: server
  name: 'allowed-${index}'
  properties: { startIpAddress: parseCidr(range).network, endIpAddress: parseCidr(range).broadcast }
}]

resource database 'Microsoft.Sql/servers/databases@2023-08-01' = {
  parent: server
  name: 'factory'
  location: site.location
  tags: site.tags
  sku: { name: sku, family: 'Gen5', capacity: vCores }
  properties: {
    collation: 'Latin1_General_100_BIN2_UTF8'
    maxSizeBytes: maxSizeGib * 1024 * 1024 * 1024
    zoneRedundant: site.zoneRedundant
    requestedBackupStorageRedundancy: backup.redundancy
    autoPauseDelay: serverless ? autoPauseMinutes : null
    minCapacity: serverless ? json('0.5') : null
    // A ledger database makes every new table a ledger table; only the audit tables are append-only, by migration.
    isLedgerOn: false
  }
}

resource shortTerm 'Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies@2023-08-01' = {
  parent: database
  name: 'default'
  properties: { retentionDays: backup.pointInTimeDays, diffBackupIntervalInHours: 12 }
}

resource longTerm 'Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies@2023-08-01' = {
  parent: database
  name: 'default'
  properties: { weeklyRetention: backup.weeklyRetention, monthlyRetention: backup.monthlyRetention, yearlyRetention: 'PT0S', weekOfYear: 0 }
  dependsOn: [shortTerm]
}

resource auditing 'Microsoft.Sql/servers/auditingSettings@2023-08-01' = {
  parent: server
  name: 'default'
  properties: { state: 'Enabled', isAzureMonitorTargetEnabled: true }
}

resource threats 'Microsoft.Sql/servers/securityAlertPolicies@2023-08-01' = {
  parent: server
  name: 'Default'
  properties: { state: 'Enabled' }
}

resource serverLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: server
  properties: { level: 'CanNotDelete', notes: 'The truth of the plane.' }
}

resource databaseDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: database
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

// Server auditing writes through the master database.
resource master 'Microsoft.Sql/servers/databases@2023-08-01' existing = {
  parent: server
  name: 'master'
}

resource masterDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit-to-workspace'
  scope: master
  properties: {
    workspaceId: site.workspaceId
    logs: [{ category: 'SQLSecurityAuditEvents', enabled: true }]
  }
  dependsOn: [auditing]
}

module endpoint 'private-endpoint.bicep' = {
  name: 'pe-sql-server'
  params: { site: site, targetName: server.name, targetId: server.id, group: 'sqlServer' }
}

@description('Host name of the server.')
output serverHostName string = server.properties.fullyQualifiedDomainName
@description('Name of the database.')
output databaseName string = database.name
@description('Id of the database.')
output databaseId string = database.id
