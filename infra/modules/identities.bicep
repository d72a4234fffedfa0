metadata description = 'One user-assigned identity a role; the migrator and the image puller apart from them. What each may do is assigned where the resource is.'
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

resource control 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName('id-control', workload, environmentName, token)
  location: location
  tags: tags
}

resource station 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName('id-station', workload, environmentName, token)
  location: location
  tags: tags
}

resource verifier 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName('id-verifier', workload, environmentName, token)
  location: location
  tags: tags
}

resource effector 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName('id-effector', workload, environmentName, token)
  location: location
  tags: tags
}

resource migrator 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName('id-migrator', workload, environmentName, token)
  location: location
  tags: tags
}

// Pulls images and is never available inside a container: identitySettings of each job say so.
resource puller 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName('id-puller', workload, environmentName, token)
  location: location
  tags: tags
}

@description('Identity of control.')
output control object = { id: control.id, name: control.name, clientId: control.properties.clientId, principalId: control.properties.principalId }
@description('Identity of the stations.')
output station object = { id: station.id, name: station.name, clientId: station.properties.clientId, principalId: station.properties.principalId }
@description('Identity of the verifier.')
output verifier object = { id: verifier.id, name: verifier.name, clientId: verifier.properties.clientId, principalId: verifier.properties.principalId }
@description('Identity of the effector.')
output effector object = { id: effector.id, name: effector.name, clientId: effector.properties.clientId, principalId: effector.properties.principalId }
@description('Identity of the migration job: a member of the SQL administrators, and of nothing else.')
output migrator object = { id: migrator.id, name: migrator.name, clientId: migrator.properties.clientId, principalId: migrator.properties.principalId }
@description('Identity that pulls images.')
output puller object = { id: puller.id, name: puller.name, clientId: puller.properties.clientId, principalId: puller.properties.principalId }
