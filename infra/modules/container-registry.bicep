metadata description = 'Registry of the one worker image and the sandbox image. Private endpoints need Premium.'
import { siteType } from '../shared/types.bicep'
import { plainName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

@description('Where and how.')
param site siteType
@description('Token of the resource group, 13 characters.')
@minLength(13)
@maxLength(13)
param token string
@description('Principal that pulls images.')
param pullerPrincipalId string

var private = site.networkMode == 'private'

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: plainName('crfactory', token)
  location: site.location
  tags: site.tags
  sku: { name: 'Premium' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    dataEndpointEnabled: false
    networkRuleBypassOptions: 'None'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    zoneRedundancy: site.zoneRedundant ? 'Enabled' : 'Disabled'
    networkRuleSet: {
      defaultAction: 'Deny'
      ipRules: [for range in site.allowedIpRanges: { value: range, action: 'Allow' }]
    }
  }
}

resource puller 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, pullerPrincipalId, roleIds.imagePull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.imagePull)
    principalId: pullerPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource registryLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: registry
  properties: { level: 'CanNotDelete', notes: 'Images that evidence names by digest.' }
}

resource registryDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: registry
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: 'pe-registry-registry'
  params: { site: site, targetName: registry.name, targetId: registry.id, group: 'registry' }
}

@description('Host name of the registry.')
output loginServer string = registry.properties.loginServer
