metadata description = 'The job that migrates the database, inside the network, under the only identity with DDL. It is started by hand or by the deployment; running it twice changes nothing.'
import { tagsType } from '../shared/types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags tagsType
@description('Environment of the job.')
param environmentId string
@description('Image with its digest; the same as of the workers.')
param image string
@description('Host name of the registry.')
param registry string
@description('Identity of the migrator.')
param migratorId string
@description('Identity that pulls the image; not available inside the container.')
param pullerId string
@description('Settings of the migration.')
param settings object

resource job 'Microsoft.App/jobs@2025-07-01' = {
  name: 'job-migrate'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${migratorId}': {}, '${pullerId}': {} }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaRetryLimit: 0
      replicaTimeout: 1800
      registries: [{ server: registry, identity: pullerId }]
      identitySettings: [
        { identity: migratorId, lifecycle: 'Main' }
        { identity: pullerId, lifecycle: 'None' }
      ]
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
    }
    template: {
      containers: [
        {
          name: 'migrate'
          image: image
          args: ['migrate']
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: map(items(settings), setting => { name: setting.key, value: setting.value })
        }
      ]
    }
  }
}

@description('Name of the job.')
output jobName string = job.name
