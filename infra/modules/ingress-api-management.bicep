metadata description = 'API Management (v2) before control, reaching it through the network. An operation for each named path; a path of the host matches none and answers 404.'
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
@description('Delegated subnet of the gateway.')
param subnetId string
@description('Host name of the control app.')
param originHostName string
@description('Paths that people, webhooks and other factories may call.')
param paths string[]
@description('Paths that nobody may call from outside; within an open path they are refused by the policy.')
param closedPaths string[]
@description('Address shown as the publisher.')
param publisherEmail string
@description('Requests that one address may make in a minute.')
@minValue(60)
@maxValue(100000)
param requestsPerMinute int
@description('Log Analytics workspace of the diagnostics.')
param workspaceId string

// Every method of the API; the check holds them together. A GET may be asked as a HEAD.
var methods = ['GET', 'HEAD', 'POST', 'PUT']
// An open path may hold closed ones: the policy answers 404 before control is asked.
var closedTest = join(map(closedPaths, path => 'context.Request.OriginalUrl.Path.ToLower().Contains("${path}")'), ' || ')
var operations = flatten(map(paths, path => map(methods, method => { path: path, method: method })))

resource gateway 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: resourceName('apim', workload, environmentName, token)
  location: location
  tags: tags
  sku: { name: 'StandardV2', capacity: 1 }
  properties: {
    publisherEmail: publisherEmail
    publisherName: workload
    virtualNetworkType: 'External'
    virtualNetworkConfiguration: { subnetResourceId: subnetId }
    publicNetworkAccess: 'Enabled'
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: gateway
  name: 'control'
  properties: {
    displayName: 'Agent Factory'
    path: ''
    protocols: ['https']
    serviceUrl: 'https://${originHostName}'
    // Callers show an Entra token or a webhook signature, which control checks itself.
    subscriptionRequired: false
  }
}

resource operation 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [for (item, index) in operations: {
  parent: api
  name: 'path-${index}'
  properties: { displayName: '${item.method} ${item.path}', method: item.method, urlTemplate: item.path }
}]

resource rate 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: '<policies><inbound><base /><choose><when condition=\'@(${closedTest})\'><return-response><set-status code="404" /></return-response></when></choose><rate-limit-by-key calls="${requestsPerMinute}" renewal-period="60" counter-key="@(context.Request.IpAddress)" /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'
  }
}

resource gatewayDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: gateway
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Host name that callers use.')
output hostName string = replace(gateway.properties.gatewayUrl, 'https://', '')
