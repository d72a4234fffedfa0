metadata description = 'Storage of the plane: sealed artifacts (versioned), audit anchors (write once), the activity feed. Control is the only identity with a role on it.'
import { siteType } from '../shared/types.bicep'
import { plainName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

@description('Where and how.')
param site siteType
@description('Token of the resource group, 13 characters.')
@minLength(13)
@maxLength(13)
param token string
@description('Where artifacts are copied to.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGZRS'])
param sku string
@description('Days an anchor can neither be changed nor deleted. The policy is made unlocked; locking it can not be undone and is a step of its own.')
@minValue(1)
@maxValue(3650)
param anchorImmutabilityDays int
@description('Days that a deleted artifact and an older version can be had back.')
@minValue(7)
@maxValue(365)
param softDeleteDays int
@description('Principal of control.')
param controlPrincipalId string

var private = site.networkMode == 'private'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: plainName('stfactory', token)
  location: site.location
  tags: site.tags
  kind: 'StorageV2'
  sku: { name: sku }
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
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
  }
}

resource artifacts 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'artifacts'
  properties: { publicAccess: 'None' }
}

resource anchors 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'anchors'
  properties: { publicAccess: 'None' }
}

resource anchorImmutability 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = {
  parent: anchors
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: anchorImmutabilityDays
    allowProtectedAppendWrites: false
  }
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource activity 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = {
  parent: tables
  name: 'activity'
}

// Old versions are collected by the platform; current blobs only by the plane, which knows what still refers to them.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-versions'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['artifacts/'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: softDeleteDays } } }
          }
        }
      ]
    }
  }
}

resource artifactsContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(artifacts.id, controlPrincipalId, roleIds.blobContributor)
  scope: artifacts
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.blobContributor)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource anchorsContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(anchors.id, controlPrincipalId, roleIds.blobContributor)
  scope: anchors
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.blobContributor)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource activityContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(activity.id, controlPrincipalId, roleIds.tableContributor)
  scope: activity
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.tableContributor)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Artifacts, evidence and anchors.' }
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

resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tables
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

module endpoints 'private-endpoint.bicep' = [for group in ['blob', 'table']: {
  name: 'pe-artifacts-${group}'
  params: { site: site, targetName: account.name, targetId: account.id, group: group }
}]

@description('Id of the account.')
output accountId string = account.id
@description('Blob endpoint.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
@description('Address of the container of the artifacts.')
output artifactsUrl string = '${account.properties.primaryEndpoints.blob}${artifacts.name}'
@description('Address of the container of the anchors.')
output anchorsUrl string = '${account.properties.primaryEndpoints.blob}${anchors.name}'
@description('Address of the table of the activity feed.')
output activityUrl string = '${account.properties.primaryEndpoints.table}${activity.name}'
