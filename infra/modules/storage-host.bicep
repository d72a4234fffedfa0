metadata description = 'Storage account of one function app: its host, its package, and with that backend its orchestrations. No other app has a role on it.'
import { siteType } from '../shared/types.bicep'
import { plainName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

@description('Where and how.')
param site siteType
@description('Role whose app it serves.')
@allowed(['control', 'effector'])
param role string
@description('Token of the resource group, 13 characters.')
@minLength(13)
@maxLength(13)
param token string
@description('Principal of the app.')
param principalId string
@description('Orchestrations are kept here: the app also gets queues and tables.')
param durable bool

var private = site.networkMode == 'private'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: plainName('sthost${take(role, 2)}', token)
  location: site.location
  tags: site.tags
  kind: 'StorageV2'
  sku: { name: site.zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Deny'
      // Storage refuses a range of one address: it wants the address alone.
      ipRules: [for range in site.allowedIpRanges: { value: replace(range, '/32', ''), action: 'Allow' }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'package'
  properties: { publicAccess: 'None' }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {}
}

// The host writes locks and keys of its own into containers it makes: the account is the narrowest scope there is for it.
resource blobOwner 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roleIds.blobOwner)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.blobOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource queueContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (durable) {
  name: guid(account.id, principalId, roleIds.storageQueueContributor)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageQueueContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource tableContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (durable) {
  name: guid(account.id, principalId, roleIds.tableContributor)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.tableContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Host and package of a function app.' }
}

resource accountDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: site.workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queues
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tables
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

module endpoints 'private-endpoint.bicep' = [for group in ['blob', 'queue', 'table']: {
  name: 'pe-host-${role}-${group}'
  params: { site: site, targetName: account.name, targetId: account.id, group: group }
}]

@description('Blob endpoint.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
@description('Queue endpoint.')
output queueEndpoint string = account.properties.primaryEndpoints.queue
@description('Table endpoint.')
output tableEndpoint string = account.properties.primaryEndpoints.table
@description('Address of the container of the package.')
output packageContainer string = '${account.properties.primaryEndpoints.blob}${package.name}'
