metadata description = 'Where everything is watched: Log Analytics, Application Insights on it, the group of people to alert, and in private mode the link scope that takes telemetry privately.'
import { tagsType, networkModeType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'
import { roleIds } from '../shared/roles.bicep'

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
@description('private | public-dev.')
param networkMode networkModeType
@description('Id of a workspace of the organisation; empty makes one.')
param existingWorkspaceId string
@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int
@description('Most GB a day that are taken in; -1 for no cap. A cap also drops what alerts rest on.')
@minValue(-1)
param dailyQuotaGb int
@description('Mail addresses that alerts go to.')
param alertEmails string[]
@description('Principal ids that may write telemetry.')
param publisherPrincipalIds string[]
@description('Keep what holds state from being deleted.')
param lockLevel 'None' | 'CanNotDelete'

var private = networkMode == 'private'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (empty(existingWorkspaceId)) {
  name: resourceName('log', workload, environmentName, token)
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
    publicNetworkAccessForIngestion: private ? 'Disabled' : 'Enabled'
    // Queries come from people in the portal, with their own identity; a closed network closes them by policy of its own.
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource workspaceLock 'Microsoft.Authorization/locks@2020-05-01' = if (empty(existingWorkspaceId) && lockLevel != 'None') {
  name: 'keep'
  scope: workspace
  properties: { level: 'CanNotDelete', notes: 'Logs and diagnostics of the plane.' }
}

resource workspaceDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (empty(existingWorkspaceId)) {
  name: 'to-workspace'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: resourceName('appi', workload, environmentName, token)
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    publicNetworkAccessForIngestion: private ? 'Disabled' : 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in publisherPrincipalIds: {
  name: guid(insights.id, principalId, roleIds.metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.metricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: resourceName('ag', workload, environmentName, token)
  location: 'global'
  tags: tags
  properties: {
    groupShortName: take('${workload}${environmentName}', 12)
    enabled: true
    emailReceivers: [for (email, index) in alertEmails: {
      name: 'person-${index}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = if (private) {
  name: resourceName('ampls', workload, environmentName, token)
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: { ingestionAccessMode: 'PrivateOnly', queryAccessMode: 'Open' }
  }
}

resource linkedInsights 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = if (private) {
  parent: linkScope
  name: 'insights'
  properties: { linkedResourceId: insights.id }
}

resource linkedWorkspace 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = if (private) {
  parent: linkScope
  name: 'workspace'
  properties: { linkedResourceId: empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId }
}

@description('Id of the workspace.')
output workspaceId string = empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId
@description('Id of Application Insights.')
output insightsId string = insights.id
@description('Name of Application Insights.')
output insightsName string = insights.name
@description('Id of the group that alerts go to.')
output actionGroupId string = actionGroup.id
@description('Id of the private link scope; empty in public-dev.')
output linkScopeId string = private ? linkScope.id : ''
@description('Name of the private link scope; empty in public-dev.')
output linkScopeName string = private ? linkScope.name : ''
