metadata description = 'A Container Apps job that works off one pool: an execution is started for each so many hints on its queue, and holds them there while it works. Retry is the plane\'s, so a failed replica is not run again.'
import { tagsType, jobScaleType } from '../shared/types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags tagsType
@description('Pool, which is also the queue.')
@maxLength(20)
param pool string
@description('Environment of the job.')
param environmentId string
@description('Image with its digest.')
param image string
@description('Host name of the registry.')
param registry string
@description('Identity of the role: it receives the hints and calls control.')
param identityId string
@description('Identity that pulls the image; not available inside the container.')
param pullerId string
@description('Name of the Service Bus namespace.')
param busName string
@description('Size.')
param scale jobScaleType
@description('Jobs that an execution runs at once, and hints that it holds meanwhile.')
@minValue(1)
@maxValue(64)
param concurrency int
@description('Settings of the role.')
param settings object
@description('Name of Application Insights.')
param insightsName string

var jobSettings = {
  FACTORY_POOL: pool
  FACTORY_CONCURRENCY: string(concurrency)
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource job 'Microsoft.App/jobs@2025-07-01' = {
  name: 'job-${pool}'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {}, '${pullerId}': {} }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Event'
      replicaRetryLimit: 0
      replicaTimeout: scale.timeoutSeconds
      registries: [{ server: registry, identity: pullerId }]
      identitySettings: [
        { identity: identityId, lifecycle: 'Main' }
        { identity: pullerId, lifecycle: 'None' }
      ]
      eventTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
        scale: {
          minExecutions: 0
          maxExecutions: scale.maximumExecutions
          pollingInterval: 15
          rules: [
            {
              name: 'hints'
              type: 'azure-servicebus'
              identity: identityId
              metadata: { namespace: busName, queueName: pool, messageCount: string(concurrency) }
            }
          ]
        }
      }
    }
    template: {
      containers: [
        {
          name: 'worker'
          image: image
          resources: { cpu: json(scale.cpu), memory: scale.memory }
          env: map(items(union(settings, jobSettings)), setting => { name: setting.key, value: setting.value })
        }
      ]
    }
  }
}

@description('Name of the job.')
output jobName string = job.name
