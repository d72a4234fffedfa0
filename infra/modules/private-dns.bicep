metadata description = 'Private DNS zones of every service the plane reaches privately, linked to its network. Left out when the zones are given or a platform policy keeps them.'
import { tagsType, zoneIdsType } from '../shared/types.bicep'

@description('Network the zones are linked to.')
param networkId string
@description('Tags of every resource.')
param tags tagsType

var zones = [
  { group: 'blob', name: 'privatelink.blob.${environment().suffixes.storage}' }
  { group: 'queue', name: 'privatelink.queue.${environment().suffixes.storage}' }
  { group: 'table', name: 'privatelink.table.${environment().suffixes.storage}' }
  { group: 'sqlServer', name: 'privatelink${environment().suffixes.sqlServerHostname}' }
  { group: 'vault', name: 'privatelink.vaultcore.azure.net' }
  { group: 'namespace', name: 'privatelink.servicebus.windows.net' }
  { group: 'sites', name: 'privatelink.azurewebsites.net' }
  { group: 'scheduler', name: 'privatelink.durabletask.io' }
  { group: 'registry', name: 'privatelink${environment().suffixes.acrLoginServer}' }
  { group: 'azuremonitor', name: 'privatelink.monitor.azure.com' }
  { group: 'azuremonitor', name: 'privatelink.oms.opinsights.azure.com' }
  { group: 'azuremonitor', name: 'privatelink.ods.opinsights.azure.com' }
  { group: 'azuremonitor', name: 'privatelink.agentsvc.azure-automation.net' }
]
var monitorNames = map(filter(zones, zone => zone.group == 'azuremonitor'), zone => zone.name)
var blobName = 'privatelink.blob.${environment().suffixes.storage}'
var ordinary = filter(zones, zone => zone.group != 'azuremonitor')
var monitorIds = map(concat(monitorNames, [blobName]), name => resourceId('Microsoft.Network/privateDnsZones', name))

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for item in zones: {
  name: item.name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (item, index) in zones: {
  parent: zone[index]
  name: 'plane'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: networkId }
  }
}]

@description('Zone ids by group.')
output zoneIds zoneIdsType = union(
  toObject(ordinary, item => item.group, item => [resourceId('Microsoft.Network/privateDnsZones', item.name)]),
  { azuremonitor: monitorIds }
)
