metadata description = 'Virtual network: a subnet for each function app and for the container environment (delegated, exclusive), one for private endpoints, one for the gateway; a security group each; one way out.'
import { tagsType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags tagsType
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
@description('Address range of the network, /16 to /23: five subnets of /26 are cut from it.')
param addressPrefix string
@description('Id of a route table whose default route leads to a firewall; empty for a NAT gateway of its own. Only a firewall can narrow the way out by host name.')
param egressRouteTableId string
@description('Log Analytics workspace of the diagnostics.')
param workspaceId string
@description('Availability zones are used.')
param zoneRedundant bool

var ownEgress = empty(egressRouteTableId)
var openTags = [
  'AzureActiveDirectory'
  'AzureMonitor'
  'MicrosoftContainerRegistry'
  'AzureFrontDoor.FirstParty'
]
var inside = [
  {
    name: 'allow-inside'
    properties: { priority: 100, direction: 'Inbound', access: 'Allow', protocol: '*', sourceAddressPrefix: 'VirtualNetwork', sourcePortRange: '*', destinationAddressPrefix: 'VirtualNetwork', destinationPortRange: '*' }
  }
  {
    name: 'allow-probes'
    properties: { priority: 110, direction: 'Inbound', access: 'Allow', protocol: '*', sourceAddressPrefix: 'AzureLoadBalancer', sourcePortRange: '*', destinationAddressPrefix: '*', destinationPortRange: '*' }
  }
  {
    name: 'deny-inbound'
    properties: { priority: 4096, direction: 'Inbound', access: 'Deny', protocol: '*', sourceAddressPrefix: '*', sourcePortRange: '*', destinationAddressPrefix: '*', destinationPortRange: '*' }
  }
]
var outsideTags = [for (tag, index) in openTags: {
  name: 'allow-${toLower(replace(tag, '.', '-'))}'
  properties: { priority: 200 + index, direction: 'Outbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefix: '*', sourcePortRange: '*', destinationAddressPrefix: tag, destinationPortRange: '443' }
}]
// Service Bus Standard has no private endpoint: under public-dev it is reached by its public address, over AMQP or its web socket.
var outsideBus = [
  {
    name: 'allow-service-bus'
    properties: { priority: 250, direction: 'Outbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefix: '*', sourcePortRange: '*', destinationAddressPrefix: 'ServiceBus', destinationPortRanges: ['443', '5671'] }
  }
]
var outsideWeb = [
  {
    name: 'allow-https'
    properties: { priority: 300, direction: 'Outbound', access: 'Allow', protocol: 'Tcp', sourceAddressPrefix: '*', sourcePortRange: '*', destinationAddressPrefix: 'Internet', destinationPortRange: '443' }
  }
]
var outsideDeny = [
  {
    name: 'deny-outbound'
    properties: { priority: 4096, direction: 'Outbound', access: 'Deny', protocol: '*', sourceAddressPrefix: '*', sourcePortRange: '*', destinationAddressPrefix: 'Internet', destinationPortRange: '*' }
  }
]
// Names have no underscore: Flex Consumption refuses such a subnet. A delegated subnet is used by one app only.
var subnets = [
  { name: 'snet-control', delegation: 'Microsoft.App/environments', rules: concat(inside, outsideTags, outsideBus, outsideDeny) }
  { name: 'snet-effector', delegation: 'Microsoft.App/environments', rules: concat(inside, outsideTags, outsideBus, outsideWeb, outsideDeny) }
  { name: 'snet-workers', delegation: 'Microsoft.App/environments', rules: concat(inside, outsideTags, outsideBus, outsideWeb, outsideDeny) }
  { name: 'snet-endpoints', delegation: '', rules: concat(inside, outsideDeny) }
  { name: 'snet-gateway', delegation: 'Microsoft.Web/serverFarms', rules: concat(inside, outsideTags, outsideDeny) }
]

resource securityGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = [for subnet in subnets: {
  name: 'nsg-${subnet.name}-${token}'
  location: location
  tags: tags
  properties: { securityRules: subnet.rules }
}]

resource securityGroupDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = [for (subnet, index) in subnets: {
  name: 'to-workspace'
  scope: securityGroup[index]
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}]

resource publicAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (ownEgress) {
  name: resourceName('pip-egress', workload, environmentName, token)
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Regional' }
  zones: zoneRedundant ? ['1', '2', '3'] : []
  properties: { publicIPAllocationMethod: 'Static', publicIPAddressVersion: 'IPv4' }
}

resource publicAddressDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (ownEgress) {
  name: 'to-workspace'
  scope: publicAddress
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = if (ownEgress) {
  name: resourceName('nat', workload, environmentName, token)
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 4
    publicIpAddresses: [{ id: publicAddress.id }]
  }
}

// Subnets are written inside the network: as separate resources a second deployment races over them.
resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: resourceName('vnet', workload, environmentName, token)
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [for (subnet, index) in subnets: {
      name: subnet.name
      properties: {
        addressPrefix: cidrSubnet(addressPrefix, 26, index)
        defaultOutboundAccess: false
        privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
        networkSecurityGroup: { id: securityGroup[index].id }
        natGateway: ownEgress && subnet.name != 'snet-endpoints' ? { id: natGateway.id } : null
        routeTable: ownEgress ? null : { id: egressRouteTableId }
        delegations: empty(subnet.delegation) ? [] : [{ name: 'owner', properties: { serviceName: subnet.delegation } }]
      }
    }]
  }
}

resource networkDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: network
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id of the network.')
output networkId string = network.id
@description('Ids of the subnets by what they are for.')
output subnetIds object = {
  control: '${network.id}/subnets/snet-control'
  effector: '${network.id}/subnets/snet-effector'
  workers: '${network.id}/subnets/snet-workers'
  endpoints: '${network.id}/subnets/snet-endpoints'
  gateway: '${network.id}/subnets/snet-gateway'
}
