targetScope = 'subscription'
metadata description = 'What the effector may do at a subscription that it deploys to. A stack makes resources of any group there, so its rights have that scope and no narrower one: nothing of this is given unless it is asked for.'
import { roleIds } from '../shared/roles.bicep'

@description('Principal of the effector.')
@minLength(36)
@maxLength(36)
param principalId string
@description('Ids of further role definitions: what the resources of the deployed templates need.')
@maxLength(16)
param roleDefinitionIds string[]

resource stacks 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, principalId, roleIds.stackContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.stackContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource further 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for roleId in roleDefinitionIds: {
  name: guid(subscription().id, principalId, roleId)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]
