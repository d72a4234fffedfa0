metadata description = 'A function app on its own Flex Consumption plan: one role, one identity, one storage account, one subnet.'
import { siteType, functionScaleType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'

@description('Where and how.')
param site siteType
@description('Role the app registers; its package holds nothing else.')
@allowed(['control', 'effector'])
param role string
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
@description('Identity of the role: id, clientId.')
param identity object
@description('Delegated subnet of this app alone.')
param subnetId string
@description('Storage of the host: blobEndpoint, queueEndpoint, tableEndpoint, packageContainer.')
param host object
@description('Name of Application Insights.')
param insightsName string
@description('Node version of the runtime.')
param nodeVersion '22' | '24'
@description('Size.')
param scale functionScaleType
@description('Settings of the role.')
param settings object
@description('Where callers reach control; empty for its own host name. The other roles have no such setting.')
param publicUrl string = ''

var private = site.networkMode == 'private'
// Only what Flex reads. Runtime, version and package are in functionAppConfig: their old settings must not be set.
var platformSettings = {
  AzureWebJobsStorage__blobServiceUri: host.blobEndpoint
  AzureWebJobsStorage__queueServiceUri: host.queueEndpoint
  AzureWebJobsStorage__tableServiceUri: host.tableEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.clientId};Authorization=AAD'
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: resourceName('plan-${role}', workload, environmentName, token)
  location: site.location
  tags: site.tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: site.zoneRedundant }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: resourceName('func-${role}', workload, environmentName, token)
  location: site.location
  tags: union(site.tags, { 'azd-service-name': role })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: subnetId
    keyVaultReferenceIdentity: identity.id
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictionsUseMain: true
      ipSecurityRestrictions: [for (range, index) in site.allowedIpRanges: {
        name: 'allowed-${index}'
        action: 'Allow'
        priority: 100 + index
        ipAddress: range
      }]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: host.packageContainer
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'node', version: nodeVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: scale.instanceMemoryMB
        maximumInstanceCount: scale.maximumInstanceCount
        alwaysReady: scale.alwaysReady
      }
    }
  }
}

var publicSettings = role == 'control' ? { FACTORY_PUBLIC_URL: empty(publicUrl) ? 'https://${app.properties.defaultHostName}' : publicUrl } : {}

// The role is set with the app, before the first package: what is registered depends on it.
resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(platformSettings, settings, publicSettings)
}

resource noPublishingPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [for door in ['scm', 'ftp']: {
  parent: app
  name: door
  properties: { allow: false }
}]

resource planDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: plan
  properties: {
    workspaceId: site.workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource appDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: site.workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: 'pe-${role}-sites'
  params: { site: site, targetName: app.name, targetId: app.id, group: 'sites' }
}

@description('Id of the app.')
output appId string = app.id
@description('Name of the app.')
output appName string = app.name
@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
