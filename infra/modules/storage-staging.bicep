metadata description = 'Storage of uploads under way: not sealed yet, so nothing deleted is kept and nothing is versioned. Control is the only identity with a role on it.'
import { siteType } from '../shared/types.bicep'
import { plainName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

@description('Where and how.')
param site siteType
@description('Token of the resource group, 13 characters.')
@minLength(13)
@maxLength(13)
param token string
@description('Principal of control.')
param controlPrincipalId string

var private = site.networkMode == 'private'

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: plainName('ststaging', token)
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

// An upload that was swept must be gone: no versions, no soft delete.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: false
    deleteRetentionPolicy: { enabled: false }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource staging 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'staging'
  properties: { publicAccess: 'None' }
}

// Control sweeps what expired after an hour; this is for what it never saw.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'left-over'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['staging/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 7 } } }
          }
        }
      ]
    }
  }
}

resource stagingContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(staging.id, controlPrincipalId, roleIds.blobContributor)
  scope: staging
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.blobContributor)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Uploads under way.' }
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

module endpoint 'private-endpoint.bicep' = {
  name: 'pe-staging-blob'
  params: { site: site, targetName: account.name, targetId: account.id, group: 'blob' }
}

@description('Address of the container of uploads under way.')
output stagingUrl string = '${account.properties.primaryEndpoints.blob}${staging.name}'
