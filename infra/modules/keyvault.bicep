metadata description = 'A vault with one key that only wraps and two that only sign, for control. It holds no secret.'
import { siteType } from '../shared/types.bicep'
import { vaultName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

@description('Where and how.')
param site siteType
@description('Token of the resource group, 13 characters.')
@minLength(13)
@maxLength(13)
param token string
@description('Days that a deleted vault or key can be recovered; fixed once the vault is made.')
@minValue(7)
@maxValue(90)
param softDeleteDays int
@description('Age at which a key rotates (ISO 8601 duration). Old versions stay, to unwrap and to verify.')
param rotationAge string
@description('Principal of control: wraps, unwraps and signs.')
param controlPrincipalId string

var private = site.networkMode == 'private'
var networkRules = {
  bypass: 'None'
  defaultAction: 'Deny'
  ipRules: map(site.allowedIpRanges, range => { value: range })
  virtualNetworkRules: []
}
var rotation = {
  attributes: { expiryTime: 'P2Y' }
  lifetimeActions: [
    { action: { type: 'rotate' }, trigger: { timeAfterCreate: rotationAge } }
    { action: { type: 'notify' }, trigger: { timeBeforeExpiry: 'P30D' } }
  ]
}

resource keys 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName('kv-keys', token)
  location: site.location
  tags: site.tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: networkRules
  }
}

resource wrapping 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: keys
  name: 'wrapping'
  tags: site.tags
  properties: {
    kty: 'RSA'
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    rotationPolicy: rotation
  }
}

// ES256, as the envelopes are signed. A key signs for one purpose, so that no anchor can be passed off as evidence.
resource evidence 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: keys
  name: 'evidence'
  tags: site.tags
  properties: {
    kty: 'EC'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
    rotationPolicy: rotation
  }
}

resource anchor 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: keys
  name: 'anchor'
  tags: site.tags
  properties: {
    kty: 'EC'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
    rotationPolicy: rotation
  }
}

resource wrappingUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(wrapping.id, controlPrincipalId, roleIds.keyCryptoUser)
  scope: wrapping
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyCryptoUser)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource evidenceUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(evidence.id, controlPrincipalId, roleIds.keyCryptoUser)
  scope: evidence
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyCryptoUser)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource anchorUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(anchor.id, controlPrincipalId, roleIds.keyCryptoUser)
  scope: anchor
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyCryptoUser)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource keysLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: keys
  properties: { level: 'CanNotDelete', notes: 'Without the wrapping key no artifact opens.' }
}

resource keysDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: keys
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module keysEndpoint 'private-endpoint.bicep' = {
  name: 'pe-keys-vault'
  params: { site: site, targetName: keys.name, targetId: keys.id, group: 'vault' }
}

@description('Id of the vault of the keys.')
output keysVaultId string = keys.id
@description('Address of the vault of the keys.')
output keysVaultUri string = keys.properties.vaultUri
@description('Address of the wrapping key, without a version: the newest wraps.')
output wrappingKeyUri string = wrapping.properties.keyUri
@description('Address of the key that signs evidence, without a version: the newest signs.')
output evidenceKeyUri string = evidence.properties.keyUri
@description('Address of the key that signs anchors, without a version.')
output anchorKeyUri string = anchor.properties.keyUri
