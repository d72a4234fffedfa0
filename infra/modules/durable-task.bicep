metadata description = 'Durable Task Scheduler and its one hub. Left out when orchestrations are kept in the storage of control.'
import { siteType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

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
@description('Consumption is paid by action, Dedicated by capacity unit; three units of Dedicated are highly available.')
param sku 'Consumption' | 'Dedicated'
@description('Capacity units of Dedicated.')
@minValue(1)
@maxValue(3)
param capacity int
@description('Days that ended instances are kept. Evidence never lives in a history.')
@minValue(1)
@maxValue(90)
param retentionDays int
@description('Principal of control: the only one with rights on the hub.')
param controlPrincipalId string

var private = site.networkMode == 'private'

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: resourceName('dts', workload, environmentName, token)
  location: site.location
  tags: site.tags
  properties: {
    // Nobody by address: an empty list denies all of the internet.
    ipAllowlist: private ? [] : site.allowedIpRanges
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    sku: sku == 'Dedicated' ? { name: 'Dedicated', capacity: capacity } : { name: 'Consumption' }
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: 'factory-${environmentName}'
  properties: {}
}

resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2026-02-01' = {
  parent: scheduler
  name: 'default'
  properties: { retentionPolicies: [{ retentionPeriodInDays: retentionDays }] }
}

resource hubUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, controlPrincipalId, roleIds.durableTaskData)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.durableTaskData)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource schedulerLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: scheduler
  properties: { level: 'CanNotDelete', notes: 'Supervisors of the running requests.' }
}

resource schedulerDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: scheduler
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: 'pe-durable-scheduler'
  params: { site: site, targetName: scheduler.name, targetId: scheduler.id, group: 'scheduler' }
}

@description('Address of the scheduler.')
output endpoint string = scheduler.properties.endpoint
@description('Name of the hub.')
output hubName string = hub.name
