metadata description = 'Front Door Premium before control, by private link. Only the named paths are routed; the paths of the host are refused by rule as well.'
import { tagsType } from '../shared/types.bicep'
import { resourceName } from '../shared/names.bicep'

@description('Region of the origin; the profile itself is global.')
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
@description('Id of the control app.')
param originId string
@description('Host name of the control app.')
param originHostName string
@description('Paths that people, webhooks and other factories may call.')
param paths string[]
@description('Paths of the host that nobody may call from outside.')
param closedPaths string[]
@description('Requests that one address may make in a minute.')
@minValue(60)
@maxValue(100000)
param requestsPerMinute int
@description('Log Analytics workspace of the diagnostics.')
param workspaceId string

resource firewallPolicy 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2024-02-01' = {
  name: replace(resourceName('waf', workload, environmentName, token), '-', '')
  location: 'global'
  tags: tags
  sku: { name: 'Premium_AzureFrontDoor' }
  properties: {
    policySettings: { enabledState: 'Enabled', mode: 'Prevention', requestBodyCheck: 'Enabled' }
    customRules: {
      rules: [
        {
          name: 'closedPaths'
          priority: 10
          ruleType: 'MatchRule'
          action: 'Block'
          matchConditions: [
            { matchVariable: 'RequestUri', operator: 'Contains', transforms: ['Lowercase', 'UrlDecode'], matchValue: closedPaths }
          ]
        }
        {
          name: 'rate'
          priority: 20
          ruleType: 'RateLimitRule'
          rateLimitDurationInMinutes: 1
          rateLimitThreshold: requestsPerMinute
          action: 'Block'
          matchConditions: [
            { matchVariable: 'RequestUri', operator: 'Contains', matchValue: ['/'] }
          ]
        }
      ]
    }
    managedRules: {
      managedRuleSets: [
        { ruleSetType: 'Microsoft_DefaultRuleSet', ruleSetVersion: '2.1', ruleSetAction: 'Block' }
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' }
      ]
    }
  }
}

resource profile 'Microsoft.Cdn/profiles@2024-09-01' = {
  name: resourceName('afd', workload, environmentName, token)
  location: 'global'
  tags: tags
  sku: { name: 'Premium_AzureFrontDoor' }
  properties: { originResponseTimeoutSeconds: 60 }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2024-09-01' = {
  parent: profile
  name: 'factory-${environmentName}'
  location: 'global'
  tags: tags
  properties: { enabledState: 'Enabled' }
}

resource originGroup 'Microsoft.Cdn/profiles/originGroups@2024-09-01' = {
  parent: profile
  name: 'control'
  properties: {
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 0 }
    healthProbeSettings: { probePath: '/api/v1/health', probeProtocol: 'Https', probeRequestType: 'GET', probeIntervalInSeconds: 60 }
    sessionAffinityState: 'Disabled'
  }
}

// The connection waits on the app until its owner approves it: a step of the deployment.
resource origin 'Microsoft.Cdn/profiles/originGroups/origins@2024-09-01' = {
  parent: originGroup
  name: 'control'
  properties: {
    hostName: originHostName
    originHostHeader: originHostName
    httpsPort: 443
    priority: 1
    weight: 1000
    enabledState: 'Enabled'
    enforceCertificateNameCheck: true
    sharedPrivateLinkResource: {
      groupId: 'sites'
      privateLink: { id: originId }
      privateLinkLocation: location
      requestMessage: 'Ingress of the plane.'
    }
  }
}

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-09-01' = {
  parent: endpoint
  name: 'control'
  properties: {
    originGroup: { id: originGroup.id }
    patternsToMatch: paths
    supportedProtocols: ['Https']
    httpsRedirect: 'Disabled'
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    enabledState: 'Enabled'
  }
  dependsOn: [origin]
}

resource security 'Microsoft.Cdn/profiles/securityPolicies@2024-09-01' = {
  parent: profile
  name: 'firewall'
  properties: {
    parameters: {
      type: 'WebApplicationFirewall'
      wafPolicy: { id: firewallPolicy.id }
      associations: [{ domains: [{ id: endpoint.id }], patternsToMatch: ['/*'] }]
    }
  }
}

resource profileDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: profile
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Host name that callers use.')
output hostName string = endpoint.properties.hostName
