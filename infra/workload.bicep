metadata description = 'Everything in the resource group of a plane, and what each role is told.'
import { networkModeType, functionScaleType, jobScaleType, groupType, backupType, thresholdsType, tagsType, zoneIdsType } from 'shared/types.bicep'
import { pools } from 'shared/pools.bicep'

@description('Name of the environment, part of every name, e.g. dev or prod.')
@minLength(2)
@maxLength(6)
param environmentName string
@description('Region.')
@minLength(2)
param location string
@description('Workload part of names.')
@minLength(2)
@maxLength(8)
param workload string
@description('Tags of every resource, besides those the template sets itself.')
param tags tagsType
@description('private: by private endpoints alone. public-dev: also from allowedIpRanges, for trying out.')
param networkMode networkModeType
@description('Address range of the network, /16 to /23.')
param addressPrefix string
@description('Id of a network of the organisation; empty makes one. Its subnets must be delegated as in modules/network.bicep.')
param existingNetworkId string
@description('Ids of its subnets: control, effector, workers, endpoints, gateway.')
param existingSubnetIds object
@description('Id of a route table to a firewall; empty makes a NAT gateway.')
param egressRouteTableId string
@description('Private DNS zones of the organisation by group; empty makes them.')
param existingPrivateDnsZoneIds zoneIdsType
@description('A platform policy writes zone groups: the template leaves them and the zones out.')
param policyManagedPrivateDns bool
@description('Address ranges let in under public-dev, as CIDR: /32 for one address, /30 at most otherwise. Never everything.')
@maxLength(32)
param allowedIpRanges string[]
@description('Id of a workspace of the organisation; empty makes one.')
param existingWorkspaceId string
@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int
@description('Most GB of logs a day; -1 for no cap.')
@minValue(-1)
param dailyQuotaGb int
@description('Node version of the function apps, where the region offers it on Flex Consumption.')
param nodeVersion '22' | '24'
@description('Size of control.')
param controlScale functionScaleType
@description('Size of the effector.')
param effectorScale functionScaleType
@description('Size of the container jobs of a pool.')
param jobScale jobScaleType
@description('Jobs that one execution of a container runs at once; the scaler reckons as many hints for one.')
@minValue(1)
@maxValue(64)
param workerConcurrency int
@description('Image of the workers with its digest; empty on the first deployment, when the registry is still empty.')
param workerImage string
@description('Image of the sandbox with its digest; without it there are no stations and no verifier.')
param sandboxImage string
@description('Most sandbox sessions at once.')
@minValue(1)
@maxValue(600)
param maximumSessions int
@description('Sandbox sessions kept ready.')
@minValue(0)
@maxValue(100)
param readySessions int
@description('The one npm registry that the packages pool reads; empty for the one npm is configured with.')
param npmRegistry string
@description('The one index of Python packages that the packages pool reads, by the address of its simple API; empty for none.')
param pythonIndex string
@description('Where orchestrations are kept: Durable Task Scheduler or the storage of control. There is no way from one to the other.')
param durableBackend 'dts' | 'azureStorage'
@description('Sku of the Durable Task Scheduler.')
param dtsSku 'Consumption' | 'Dedicated'
@description('Capacity units of Dedicated; three are highly available.')
@minValue(1)
@maxValue(3)
param dtsCapacity int
@description('Days that ended orchestrations are kept.')
@minValue(1)
@maxValue(90)
param dtsRetentionDays int
@description('Sku of Service Bus; private endpoints need Premium.')
param busSku 'Standard' | 'Premium'
@description('Messaging units of Premium.')
@allowed([1, 2, 4, 8, 16])
param busCapacity int
@description('Entra group of the SQL administrators.')
param sqlAdministrators groupType
@description('Sku of the database.')
@allowed(['GP_S_Gen5', 'GP_Gen5', 'BC_Gen5', 'HS_Gen5'])
param sqlSku string
@description('Virtual cores of the database.')
@minValue(1)
@maxValue(80)
param sqlVCores int
@description('Minutes without use after which a serverless database pauses; -1 for never.')
@minValue(-1)
param sqlAutoPauseMinutes int
@description('Size limit of the database in GiB.')
@minValue(1)
@maxValue(4096)
param sqlMaxSizeGib int
@description('Backups of the database.')
param backup backupType
@description('Sku of the storage of artifacts.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS', 'Standard_RAGZRS'])
param artifactSku string
@description('Days an audit anchor can not be changed.')
@minValue(1)
@maxValue(3650)
param anchorImmutabilityDays int
@description('Days that deleted keys, vaults and artifacts can be had back; fixed for vaults once made.')
@minValue(7)
@maxValue(90)
param softDeleteDays int
@description('Age at which keys rotate (ISO 8601 duration).')
param keyRotationAge string
@description('Spread over availability zones.')
param zoneRedundant bool
@description('CanNotDelete puts a lock on what holds state.')
param lockLevel 'None' | 'CanNotDelete'
@description('Client id of the app registration that callers ask tokens for; made by the entra step.')
@minLength(36)
@maxLength(36)
param apiClientId string
@description('Object id of the first policy owner: a person, who lets in all the others over the API.')
@minLength(36)
@maxLength(36)
param policyOwnerId string
@description('How people and webhooks reach control.')
param ingress 'frontDoor' | 'apiManagement' | 'none'
@description('Where callers reach control, e.g. https://factory.example.org; empty for its own host name.')
param publicUrl string
@description('Requests that one address may make in a minute at the ingress.')
@minValue(60)
@maxValue(100000)
param requestsPerMinute int
@description('Seconds that a lease lasts without a renewal.')
@minValue(1)
@maxValue(3600)
param leaseSeconds int
@description('Seconds after which a queued job is hinted again.')
@minValue(2)
@maxValue(3600)
param hintSeconds int
@description('What a second under a lease costs by pool: {version, currency, perSecond}. Without it nothing costs anything.')
param prices object
@description('Mail addresses that alerts and the budget go to.')
@minLength(1)
param alertEmails string[]
@description('When an alert fires.')
param thresholds thresholdsType

var token = uniqueString(resourceGroup().id, environmentName)
var private = networkMode == 'private'
var onScheduler = durableBackend == 'dts'
var ownNetwork = empty(existingNetworkId)
var ownZones = empty(existingPrivateDnsZoneIds) && !policyManagedPrivateDns
var taskHub = onScheduler ? 'factory-${environmentName}' : 'factory${environmentName}'
// The one door to the plane. Workers are inside the network: what only they call is closed at the door, as are the host's own paths.
var openPaths = ['/api/v1/*']
var closedPaths = ['/runtime/', '/admin/', '/api/v1/pools/', '/api/v1/jobs/']

module identities 'modules/identities.bicep' = {
  name: 'identities'
  params: { location: location, tags: tags, workload: workload, environmentName: environmentName, token: token }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    location: location
    tags: tags
    workload: workload
    environmentName: environmentName
    token: token
    networkMode: networkMode
    existingWorkspaceId: existingWorkspaceId
    retentionDays: retentionDays
    dailyQuotaGb: dailyQuotaGb
    alertEmails: alertEmails
    lockLevel: lockLevel
    publisherPrincipalIds: [
      identities.outputs.control.principalId
      identities.outputs.station.principalId
      identities.outputs.verifier.principalId
      identities.outputs.effector.principalId
    ]
  }
}

module network 'modules/network.bicep' = if (ownNetwork) {
  name: 'network'
  params: {
    location: location
    tags: tags
    workload: workload
    environmentName: environmentName
    token: token
    addressPrefix: addressPrefix
    egressRouteTableId: egressRouteTableId
    workspaceId: monitoring.outputs.workspaceId
    zoneRedundant: zoneRedundant
  }
}

var networkId = ownNetwork ? network!.outputs.networkId : existingNetworkId
var subnetIds = ownNetwork ? network!.outputs.subnetIds : existingSubnetIds

module privateDns 'modules/private-dns.bicep' = if (ownZones) {
  name: 'private-dns'
  params: { networkId: networkId, tags: tags }
}

var givenZones = policyManagedPrivateDns ? {} : existingPrivateDnsZoneIds
var site = {
  location: location
  tags: tags
  networkMode: networkMode
  endpointSubnetId: subnetIds.endpoints
  zoneIds: ownZones ? privateDns!.outputs.zoneIds : givenZones
  allowedIpRanges: private ? [] : allowedIpRanges
  workspaceId: monitoring.outputs.workspaceId
  lockLevel: lockLevel
  zoneRedundant: zoneRedundant
}

module monitorEndpoint 'modules/private-endpoint.bicep' = if (private) {
  name: 'pe-monitor'
  params: { site: site, targetName: monitoring.outputs.linkScopeName, targetId: monitoring.outputs.linkScopeId, group: 'azuremonitor' }
}

module keyVault 'modules/keyvault.bicep' = {
  name: 'key-vault'
  params: {
    site: site
    token: token
    softDeleteDays: softDeleteDays
    rotationAge: keyRotationAge
    controlPrincipalId: identities.outputs.control.principalId
  }
}

module artifactStorage 'modules/storage-artifacts.bicep' = {
  name: 'storage-artifacts'
  params: {
    site: site
    token: token
    sku: artifactSku
    anchorImmutabilityDays: anchorImmutabilityDays
    softDeleteDays: softDeleteDays
    controlPrincipalId: identities.outputs.control.principalId
  }
}

module stagingStorage 'modules/storage-staging.bicep' = {
  name: 'storage-staging'
  params: { site: site, token: token, controlPrincipalId: identities.outputs.control.principalId }
}

module controlStorage 'modules/storage-host.bicep' = {
  name: 'storage-control'
  params: { site: site, role: 'control', token: token, principalId: identities.outputs.control.principalId, durable: !onScheduler }
}

module effectorStorage 'modules/storage-host.bicep' = {
  name: 'storage-effector'
  params: { site: site, role: 'effector', token: token, principalId: identities.outputs.effector.principalId, durable: false }
}

module bus 'modules/servicebus.bicep' = {
  name: 'service-bus'
  params: {
    site: site
    workload: workload
    environmentName: environmentName
    token: token
    sku: busSku
    capacity: busCapacity
    controlPrincipalId: identities.outputs.control.principalId
    principalOfRole: {
      station: identities.outputs.station.principalId
      verifier: identities.outputs.verifier.principalId
      effector: identities.outputs.effector.principalId
    }
  }
}

module sql 'modules/sql.bicep' = {
  name: 'sql'
  params: {
    site: site
    workload: workload
    environmentName: environmentName
    token: token
    administrators: sqlAdministrators
    sku: sqlSku
    vCores: sqlVCores
    autoPauseMinutes: sqlAutoPauseMinutes
    maxSizeGib: sqlMaxSizeGib
    backup: backup
  }
}

module durableTask 'modules/durable-task.bicep' = if (onScheduler) {
  name: 'durable-task'
  params: {
    site: site
    workload: workload
    environmentName: environmentName
    token: token
    sku: dtsSku
    capacity: dtsCapacity
    retentionDays: dtsRetentionDays
    controlPrincipalId: identities.outputs.control.principalId
  }
}

var durableEndpoint = onScheduler ? durableTask!.outputs.endpoint : ''

var controlSettings = {
  FACTORY_ROLE: 'control'
  FACTORY_STORE: 'azure-sql'
  FACTORY_SQL_SERVER: sql.outputs.serverHostName
  FACTORY_SQL_DATABASE: sql.outputs.databaseName
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace: bus.outputs.hostName
  FACTORY_ARTIFACTS_URL: artifactStorage.outputs.artifactsUrl
  FACTORY_STAGING_URL: stagingStorage.outputs.stagingUrl
  FACTORY_ANCHORS_URL: artifactStorage.outputs.anchorsUrl
  FACTORY_ACTIVITY_URL: artifactStorage.outputs.activityUrl
  FACTORY_WRAPPING_KEY: keyVault.outputs.wrappingKeyUri
  FACTORY_EVIDENCE_KEY: keyVault.outputs.evidenceKeyUri
  FACTORY_ANCHOR_KEY: keyVault.outputs.anchorKeyUri
  FACTORY_IDENTITY: 'entra'
  FACTORY_ENTRA_TENANT: tenant().tenantId
  FACTORY_ENTRA_AUTHORITY: environment().authentication.loginEndpoint
  FACTORY_AUDIENCE: apiClientId
  FACTORY_FIRST_PRINCIPALS: 'policy_owner=${policyOwnerId},station=${identities.outputs.station.principalId},verifier=${identities.outputs.verifier.principalId},effector=${identities.outputs.effector.principalId}'
  FACTORY_LEASE_SECONDS: string(leaseSeconds)
  FACTORY_HINT_SECONDS: string(hintSeconds)
  FACTORY_PRICES: empty(prices) ? '' : string(prices)
  TASKHUB_NAME: taskHub
  AZURE_CLIENT_ID: identities.outputs.control.clientId
}
var schedulerSettings = onScheduler ? {
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${durableEndpoint};Authentication=ManagedIdentity;ClientID=${identities.outputs.control.clientId}'
} : {}

module control 'modules/function-app.bicep' = {
  name: 'app-control'
  params: {
    site: site
    role: 'control'
    workload: workload
    environmentName: environmentName
    token: token
    identity: identities.outputs.control
    subnetId: subnetIds.control
    host: {
      blobEndpoint: controlStorage.outputs.blobEndpoint
      queueEndpoint: controlStorage.outputs.queueEndpoint
      tableEndpoint: controlStorage.outputs.tableEndpoint
      packageContainer: controlStorage.outputs.packageContainer
    }
    insightsName: monitoring.outputs.insightsName
    nodeVersion: nodeVersion
    scale: controlScale
    settings: union(controlSettings, schedulerSettings)
    publicUrl: publicUrl
  }
}

// As many as the host hands to an instance at once: maxConcurrentCalls of host.json. The check holds the two together.
var effectorConcurrency = 4
var effectorTimeout = '03:30:00'
var effectorSettings = {
  FACTORY_ROLE: 'effector'
  FACTORY_DATA: '/tmp/factory'
  FACTORY_CONTROL_URL: 'https://${control.outputs.hostName}'
  FACTORY_AUDIENCE: apiClientId
  FACTORY_CONCURRENCY: string(effectorConcurrency)
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace: bus.outputs.hostName
  FACTORY_SERVICE_BUS__credential: 'managedidentity'
  FACTORY_SERVICE_BUS__clientId: identities.outputs.effector.clientId
  FACTORY_RESOURCE_MANAGER_URL: environment().resourceManager
  // Over host.json: a deployment that was begun is waited for, as long as a job of the effector may last and some. The check holds them together.
  AzureFunctionsJobHost__functionTimeout: effectorTimeout
  AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration: effectorTimeout
  AZURE_CLIENT_ID: identities.outputs.effector.clientId
}

module effector 'modules/function-app.bicep' = {
  name: 'app-effector'
  params: {
    site: site
    role: 'effector'
    workload: workload
    environmentName: environmentName
    token: token
    identity: identities.outputs.effector
    subnetId: subnetIds.effector
    host: {
      blobEndpoint: effectorStorage.outputs.blobEndpoint
      queueEndpoint: effectorStorage.outputs.queueEndpoint
      tableEndpoint: effectorStorage.outputs.tableEndpoint
      packageContainer: effectorStorage.outputs.packageContainer
    }
    insightsName: monitoring.outputs.insightsName
    nodeVersion: nodeVersion
    scale: effectorScale
    settings: effectorSettings
  }
}

module registry 'modules/container-registry.bicep' = {
  name: 'registry'
  params: { site: site, token: token, pullerPrincipalId: identities.outputs.puller.principalId }
}

module containers 'modules/container-environment.bicep' = {
  name: 'containers'
  params: { site: site, workload: workload, environmentName: environmentName, token: token, subnetId: subnetIds.workers }
}

module sessions 'modules/session-pool.bicep' = if (!empty(sandboxImage)) {
  name: 'sessions'
  params: {
    location: location
    tags: tags
    workload: workload
    environmentName: environmentName
    token: token
    environmentId: containers.outputs.environmentId
    image: sandboxImage
    registry: registry.outputs.loginServer
    pullerId: identities.outputs.puller.id
    executorPrincipalIds: [identities.outputs.station.principalId, identities.outputs.verifier.principalId]
    maximumSessions: maximumSessions
    readySessions: readySessions
  }
}

var sandboxEndpoint = empty(sandboxImage) ? '' : sessions!.outputs.managementEndpoint
// Without sandboxes a worker could do nothing but refuse, and its hints would start one after another: stations and the verifier wait for the sandbox image.
var workersReady = !empty(workerImage) && !empty(sandboxImage)
var containerSettings = {
  FACTORY_DATA: '/tmp/factory'
  FACTORY_CONTROL_URL: 'https://${control.outputs.hostName}'
  FACTORY_AUDIENCE: apiClientId
  FACTORY_SANDBOX: 'sessions'
  FACTORY_SESSION_POOL: sandboxEndpoint
  FACTORY_SERVICE_BUS__fullyQualifiedNamespace: bus.outputs.hostName
}
var stationSettings = union(containerSettings, {
  FACTORY_ROLE: 'station'
  FACTORY_NPM_REGISTRY: npmRegistry
  FACTORY_PYTHON_INDEX: pythonIndex
  AZURE_CLIENT_ID: identities.outputs.station.clientId
})
var verifierSettings = union(containerSettings, {
  FACTORY_ROLE: 'verifier'
  AZURE_CLIENT_ID: identities.outputs.verifier.clientId
})

module stationJob 'modules/worker-job.bicep' = [for pool in filter(pools, item => item.role == 'station'): if (workersReady) {
  name: 'job-${pool.name}'
  params: {
    location: location
    tags: tags
    pool: pool.name
    environmentId: containers.outputs.environmentId
    image: workerImage
    registry: registry.outputs.loginServer
    identityId: identities.outputs.station.id
    pullerId: identities.outputs.puller.id
    busName: bus.outputs.namespaceName
    scale: jobScale
    concurrency: workerConcurrency
    settings: stationSettings
    insightsName: monitoring.outputs.insightsName
  }
}]

module verifierJob 'modules/worker-job.bicep' = [for pool in filter(pools, item => item.role == 'verifier'): if (workersReady) {
  name: 'job-${pool.name}'
  params: {
    location: location
    tags: tags
    pool: pool.name
    environmentId: containers.outputs.environmentId
    image: workerImage
    registry: registry.outputs.loginServer
    identityId: identities.outputs.verifier.id
    pullerId: identities.outputs.puller.id
    busName: bus.outputs.namespaceName
    scale: jobScale
    concurrency: workerConcurrency
    settings: verifierSettings
    insightsName: monitoring.outputs.insightsName
  }
}]

module migration 'modules/migration-job.bicep' = if (!empty(workerImage)) {
  name: 'job-migrate'
  params: {
    location: location
    tags: tags
    environmentId: containers.outputs.environmentId
    image: workerImage
    registry: registry.outputs.loginServer
    migratorId: identities.outputs.migrator.id
    pullerId: identities.outputs.puller.id
    settings: {
      FACTORY_SQL_SERVER: sql.outputs.serverHostName
      FACTORY_SQL_DATABASE: sql.outputs.databaseName
      FACTORY_SQL_APPLICATION_NAME: identities.outputs.control.name
      FACTORY_SQL_APPLICATION_CLIENT: identities.outputs.control.clientId
      AZURE_CLIENT_ID: identities.outputs.migrator.clientId
    }
  }
}

module frontDoor 'modules/ingress-front-door.bicep' = if (ingress == 'frontDoor') {
  name: 'front-door'
  params: {
    location: location
    tags: tags
    workload: workload
    environmentName: environmentName
    token: token
    originId: control.outputs.appId
    originHostName: control.outputs.hostName
    paths: openPaths
    closedPaths: closedPaths
    requestsPerMinute: requestsPerMinute
    workspaceId: monitoring.outputs.workspaceId
  }
}

module apiManagement 'modules/ingress-api-management.bicep' = if (ingress == 'apiManagement') {
  name: 'api-management'
  params: {
    location: location
    tags: tags
    workload: workload
    environmentName: environmentName
    token: token
    subnetId: subnetIds.gateway
    originHostName: control.outputs.hostName
    paths: openPaths
    closedPaths: closedPaths
    publisherEmail: first(alertEmails) ?? ''
    requestsPerMinute: requestsPerMinute
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    location: location
    tags: tags
    actionGroupId: monitoring.outputs.actionGroupId
    workspaceId: monitoring.outputs.workspaceId
    namespaceId: bus.outputs.namespaceId
    databaseId: sql.outputs.databaseId
    thresholds: thresholds
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: { location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

@description('Name of the control app.')
output controlName string = control.outputs.appName
@description('Host name of the control app.')
output controlHostName string = control.outputs.hostName
@description('Name of the effector app.')
output effectorName string = effector.outputs.appName
@description('Host name that callers use; empty without an ingress.')
output ingressHostName string = ingress == 'frontDoor' ? frontDoor!.outputs.hostName : (ingress == 'apiManagement' ? apiManagement!.outputs.hostName : '')
@description('Service Bus namespace.')
output busHostName string = bus.outputs.hostName
@description('Names of the queues.')
output queueNames array = bus.outputs.queueNames
@description('SQL server.')
output sqlHostName string = sql.outputs.serverHostName
@description('Database.')
output sqlDatabase string = sql.outputs.databaseName
@description('Vault of the keys.')
output keysVaultUri string = keyVault.outputs.keysVaultUri
@description('Blob endpoint of the artifacts.')
output artifactsEndpoint string = artifactStorage.outputs.blobEndpoint
@description('Identities by role.')
output identities object = {
  control: identities.outputs.control
  station: identities.outputs.station
  verifier: identities.outputs.verifier
  effector: identities.outputs.effector
  migrator: identities.outputs.migrator
}
@description('Registry of the images.')
output registry string = registry.outputs.loginServer
@description('Scheduler; empty with the storage backend.')
output durableEndpoint string = durableEndpoint
@description('Task hub.')
output taskHub string = taskHub
@description('Log Analytics workspace.')
output workspaceId string = monitoring.outputs.workspaceId
@description('Application Insights.')
output insightsId string = monitoring.outputs.insightsId
@description('Workbook.')
output workbookId string = workbook.outputs.workbookId
@description('Migration job; empty until there is an image.')
output migrationJob string = empty(workerImage) ? '' : migration!.outputs.jobName
