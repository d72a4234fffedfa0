metadata description = 'Sandboxes: Hyper-V isolated sessions without a way out and without an identity. Their only traffic is what a worker starts.'
import { tagsType } from '../shared/types.bicep'
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
@description('Environment of the pool.')
param environmentId string
@description('Image of the sandbox, with its digest.')
param image string
@description('Host name of the registry.')
param registry string
@description('Identity that pulls the image; not available inside a session.')
param pullerId string
@description('Principals that may start sessions: station and verifier.')
param executorPrincipalIds string[]
@description('Most sessions at once.')
@minValue(1)
@maxValue(600)
param maximumSessions int
@description('Sessions kept ready.')
@minValue(0)
@maxValue(100)
param readySessions int

resource pool 'Microsoft.App/sessionPools@2025-07-01' = {
  name: resourceName('sp', workload, environmentName, token)
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${pullerId}': {} }
  }
  properties: {
    environmentId: environmentId
    poolManagementType: 'Dynamic'
    containerType: 'CustomContainer'
    managedIdentitySettings: [{ identity: pullerId, lifecycle: 'None' }]
    sessionNetworkConfiguration: { status: 'EgressDisabled' }
    scaleConfiguration: { maxConcurrentSessions: maximumSessions, readySessionInstances: readySessions }
    dynamicPoolConfiguration: {
      lifecycleConfiguration: { lifecycleType: 'Timed', cooldownPeriodInSeconds: 600 }
    }
    customContainerTemplate: {
      registryCredentials: { server: registry, identity: pullerId }
      ingress: { targetPort: 8080 }
      containers: [{ name: 'sandbox', image: image, resources: { cpu: json('2'), memory: '4Gi' } }]
    }
  }
}

resource executor 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in executorPrincipalIds: {
  name: guid(pool.id, principalId, roleIds.sessionExecutor)
  scope: pool
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.sessionExecutor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

@description('Address through which sessions are driven.')
output managementEndpoint string = pool.properties.poolManagementEndpoint
