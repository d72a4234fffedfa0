metadata description = 'Service Bus: a queue a pool. Control may send to each; a worker role may receive from its own queues and from no other.'
import { siteType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'
import { pools } from '../shared/pools.bicep'

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
@description('Private endpoints need Premium.')
param sku 'Standard' | 'Premium'
@description('Messaging units of Premium.')
@allowed([1, 2, 4, 8, 16])
param capacity int
@description('Principal of control.')
param controlPrincipalId string
@description('Principals of the worker roles by role.')
param principalOfRole object

var premium = sku == 'Premium'
var private = site.networkMode == 'private'

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: resourceName('sb', workload, environmentName, token)
  location: site.location
  tags: site.tags
  sku: { name: sku, tier: sku, capacity: premium ? capacity : null }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    zoneRedundant: premium && site.zoneRedundant
    premiumMessagingPartitions: premium ? 1 : 0
  }
}

// Standard has no network rules: under public-dev on Standard only the identity is checked.
resource networkRules 'Microsoft.ServiceBus/namespaces/networkRuleSets@2024-01-01' = if (premium) {
  parent: bus
  name: 'default'
  properties: {
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    defaultAction: 'Deny'
    trustedServiceAccessEnabled: false
    ipRules: [for range in site.allowedIpRanges: { ipMask: range, action: 'Allow' }]
    virtualNetworkRules: []
  }
}

// A hint that expires is no fault: the plane hints every queued job again, and a hint lives shorter than that interval. Dead-lettering
// on expiry would fill the dead-letter queue of an idle pool for ever. A hint that can't be received ten times is one, and goes there.
resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [for pool in pools: {
  parent: bus
  name: pool.name
  properties: {
    lockDuration: 'PT1M'
    maxDeliveryCount: 10
    defaultMessageTimeToLive: 'PT1H'
    deadLetteringOnMessageExpiration: false
    requiresDuplicateDetection: true
    duplicateDetectionHistoryTimeWindow: 'PT10M'
    requiresSession: false
    enablePartitioning: false
    maxSizeInMegabytes: 1024
  }
}]

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (pool, index) in pools: {
  name: guid(queue[index].id, controlPrincipalId, roleIds.serviceBusSender)
  scope: queue[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.serviceBusSender)
    principalId: controlPrincipalId
    principalType: 'ServicePrincipal'
  }
}]

resource receiver 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (pool, index) in pools: {
  name: guid(queue[index].id, principalOfRole[pool.role], roleIds.serviceBusReceiver)
  scope: queue[index]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.serviceBusReceiver)
    principalId: principalOfRole[pool.role]
    principalType: 'ServicePrincipal'
  }
}]

resource busLock 'Microsoft.Authorization/locks@2020-05-01' = if (site.lockLevel != 'None') {
  name: 'keep'
  scope: bus
  properties: { level: 'CanNotDelete', notes: 'Queues of the plane.' }
}

resource busDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: bus
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = if (premium) {
  name: 'pe-servicebus-namespace'
  params: { site: site, targetName: bus.name, targetId: bus.id, group: 'namespace' }
}

@description('Id of the namespace.')
output namespaceId string = bus.id
@description('Name of the namespace.')
output namespaceName string = bus.name
@description('Host name of the namespace.')
output hostName string = replace(replace(bus.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
@description('Names of the queues.')
output queueNames array = map(pools, pool => pool.name)
