metadata description = 'Container Apps environment of the worker jobs, the migration job and the sandboxes; nothing in it is reachable from outside the network.'
import { siteType } from '../shared/types.bicep'
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
@description('Delegated subnet of the environment alone, at least /27.')
param subnetId string

resource containers 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: resourceName('cae', workload, environmentName, token)
  location: site.location
  tags: site.tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' }
    publicNetworkAccess: 'Disabled'
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: true }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    zoneRedundant: site.zoneRedundant
  }
}

resource containersDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: containers
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id of the environment.')
output environmentId string = containers.id
