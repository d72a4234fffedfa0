metadata description = 'A private endpoint of one sub-resource, and its zone group unless a platform policy writes that.'
import { siteType } from '../shared/types.bicep'

@description('Name of the resource that is reached; the endpoint is named after it.')
@minLength(2)
param targetName string
@description('Id of the resource that is reached.')
param targetId string
@description('Sub-resource, e.g. blob, table, queue, sqlServer, vault, namespace, sites, scheduler.')
param group string
@description('Where and how.')
param site siteType

var zones = site.zoneIds[?group] ?? []

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: 'pe-${targetName}-${group}'
  location: site.location
  tags: site.tags
  properties: {
    customNetworkInterfaceName: 'nic-${targetName}-${group}'
    subnet: { id: site.endpointSubnetId }
    privateLinkServiceConnections: [
      {
        name: group
        properties: {
          privateLinkServiceId: targetId
          groupIds: [group]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = if (!empty(zones)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for (zone, index) in zones: {
      name: 'zone-${index}'
      properties: { privateDnsZoneId: zone }
    }]
  }
}
