targetScope = 'subscription'
metadata description = 'The landing zone of a plane: its resource group, everything in it, its budget and policies.'
import { networkModeType, functionScaleType, jobScaleType, groupType, backupType, thresholdsType, tagsType, zoneIdsType, deploymentRightType } from 'shared/types.bicep'
import { deploymentName } from 'shared/names.bicep'

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
param workload string = 'factory'
@description('Tags of every resource, besides those the template sets itself.')
param tags tagsType = {}
@description('private: by private endpoints alone. public-dev: also from allowedIpRanges, for trying out.')
param networkMode networkModeType
@description('Address range of the network, /16 to /23.')
param addressPrefix string = '10.40.0.0/23'
@description('Id of a network of the organisation; empty makes one. Its subnets must be delegated as in modules/network.bicep.')
param existingNetworkId string = ''
@description('Ids of its subnets: control, effector, workers, endpoints, gateway.')
param existingSubnetIds object = {}
@description('Id of a route table to a firewall; empty makes a NAT gateway.')
param egressRouteTableId string = ''
@description('Private DNS zones of the organisation by group; empty makes them.')
param existingPrivateDnsZoneIds zoneIdsType = {}
@description('A platform policy writes zone groups: the template leaves them and the zones out.')
param policyManagedPrivateDns bool = false
@description('Address ranges let in under public-dev, as CIDR: /32 for one address, /30 at most otherwise. Never everything.')
@maxLength(32)
param allowedIpRanges string[] = []
@description('Id of a workspace of the organisation; empty makes one.')
param existingWorkspaceId string = ''
@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int
@description('Most GB of logs a day; -1 for no cap.')
@minValue(-1)
param dailyQuotaGb int = -1
@description('Node version of the function apps, where the region offers it on Flex Consumption.')
param nodeVersion '22' | '24' = '24'
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
param workerImage string = ''
@description('Image of the sandbox with its digest; without it there are no stations and no verifier.')
param sandboxImage string = ''
@description('Most sandbox sessions at once.')
@minValue(1)
@maxValue(600)
param maximumSessions int
@description('Sandbox sessions kept ready.')
@minValue(0)
@maxValue(100)
param readySessions int
@description('The one npm registry that the packages pool reads; empty for the one npm is configured with.')
param npmRegistry string = ''
@description('The one index of Python packages that the packages pool reads, by the address of its simple API; empty for none.')
param pythonIndex string = ''
@description('Where orchestrations are kept: Durable Task Scheduler or the storage of control. There is no way from one to the other.')
param durableBackend 'dts' | 'azureStorage'
@description('Sku of the Durable Task Scheduler.')
param dtsSku 'Consumption' | 'Dedicated' = 'Consumption'
@description('Capacity units of Dedicated; three are highly available.')
@minValue(1)
@maxValue(3)
param dtsCapacity int = 1
@description('Days that ended orchestrations are kept.')
@minValue(1)
@maxValue(90)
param dtsRetentionDays int = 30
@description('Sku of Service Bus; private endpoints need Premium.')
param busSku 'Standard' | 'Premium'
@description('Messaging units of Premium.')
@allowed([1, 2, 4, 8, 16])
param busCapacity int = 1
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
param sqlAutoPauseMinutes int = -1
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
param keyRotationAge string = 'P90D'
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
param publicUrl string = ''
@description('Requests that one address may make in a minute at the ingress.')
@minValue(60)
@maxValue(100000)
param requestsPerMinute int = 600
@description('Seconds that a lease lasts without a renewal.')
@minValue(1)
@maxValue(3600)
param leaseSeconds int = 30
@description('Seconds after which a queued job is hinted again.')
@minValue(2)
@maxValue(3600)
param hintSeconds int = 30
@description('What a second under a lease costs by pool: {version, currency, perSecond}. Without it nothing costs anything.')
param prices object = {}
@description('Mail addresses that alerts and the budget go to.')
@minLength(1)
param alertEmails string[]
@description('When an alert fires.')
param thresholds thresholdsType
@description('Budget in currency units a month.')
@minValue(1)
param budgetAmount int
@description('First day of the month the budget starts in.')
@minLength(10)
@maxLength(10)
param budgetStartDate string
@description('Whether the policies are evaluated.')
param policyEnforcement 'Default' | 'DoNotEnforce' = 'Default'
@description('What the effector may deploy to, a subscription an entry; empty gives it no right at any.')
@maxLength(16)
param deploymentRights deploymentRightType[] = []

var allTags = union(tags, { workload: workload, environment: environmentName, 'azd-env-name': environmentName })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${workload}-${environmentName}'
  location: location
  tags: allTags
}

module workloadParts 'workload.bicep' = {
  name: deploymentName('workload', environmentName)
  scope: group
  params: {
    environmentName: environmentName
    location: location
    workload: workload
    tags: allTags
    networkMode: networkMode
    addressPrefix: addressPrefix
    existingNetworkId: existingNetworkId
    existingSubnetIds: existingSubnetIds
    egressRouteTableId: egressRouteTableId
    existingPrivateDnsZoneIds: existingPrivateDnsZoneIds
    policyManagedPrivateDns: policyManagedPrivateDns
    allowedIpRanges: allowedIpRanges
    existingWorkspaceId: existingWorkspaceId
    retentionDays: retentionDays
    dailyQuotaGb: dailyQuotaGb
    nodeVersion: nodeVersion
    controlScale: controlScale
    effectorScale: effectorScale
    jobScale: jobScale
    workerConcurrency: workerConcurrency
    workerImage: workerImage
    sandboxImage: sandboxImage
    maximumSessions: maximumSessions
    readySessions: readySessions
    npmRegistry: npmRegistry
    pythonIndex: pythonIndex
    durableBackend: durableBackend
    dtsSku: dtsSku
    dtsCapacity: dtsCapacity
    dtsRetentionDays: dtsRetentionDays
    busSku: busSku
    busCapacity: busCapacity
    sqlAdministrators: sqlAdministrators
    sqlSku: sqlSku
    sqlVCores: sqlVCores
    sqlAutoPauseMinutes: sqlAutoPauseMinutes
    sqlMaxSizeGib: sqlMaxSizeGib
    backup: backup
    artifactSku: artifactSku
    anchorImmutabilityDays: anchorImmutabilityDays
    softDeleteDays: softDeleteDays
    keyRotationAge: keyRotationAge
    zoneRedundant: zoneRedundant
    lockLevel: lockLevel
    apiClientId: apiClientId
    policyOwnerId: policyOwnerId
    ingress: ingress
    publicUrl: publicUrl
    requestsPerMinute: requestsPerMinute
    leaseSeconds: leaseSeconds
    hintSeconds: hintSeconds
    prices: prices
    alertEmails: alertEmails
    thresholds: thresholds
  }
}

module budget 'modules/budget.bicep' = {
  name: deploymentName('budget', environmentName)
  scope: group
  params: { amount: budgetAmount, startDate: budgetStartDate, contacts: alertEmails }
}

module policy 'modules/policy.bicep' = {
  name: deploymentName('policy', environmentName)
  scope: group
  params: { enforcement: policyEnforcement }
}

module deployer 'modules/deployer.bicep' = [for right in deploymentRights: {
  name: deploymentName('deployer', environmentName)
  scope: subscription(right.subscriptionId)
  params: { principalId: workloadParts.outputs.identities.effector.principalId, roleDefinitionIds: right.roleDefinitionIds }
}]

@description('Resource group.')
output AZURE_RESOURCE_GROUP string = group.name
@description('Name of the control app.')
output CONTROL_NAME string = workloadParts.outputs.controlName
@description('Host name of the control app.')
output CONTROL_HOSTNAME string = workloadParts.outputs.controlHostName
@description('Name of the effector app.')
output EFFECTOR_NAME string = workloadParts.outputs.effectorName
@description('Host name that callers use; empty without an ingress.')
output INGRESS_HOSTNAME string = workloadParts.outputs.ingressHostName
@description('Service Bus namespace.')
output SERVICE_BUS_HOSTNAME string = workloadParts.outputs.busHostName
@description('Names of the queues.')
output QUEUE_NAMES array = workloadParts.outputs.queueNames
@description('SQL server.')
output SQL_HOSTNAME string = workloadParts.outputs.sqlHostName
@description('Database.')
output SQL_DATABASE string = workloadParts.outputs.sqlDatabase
@description('Vault of the keys.')
output KEYS_VAULT_URI string = workloadParts.outputs.keysVaultUri
@description('Blob endpoint of the artifacts.')
output ARTIFACTS_ENDPOINT string = workloadParts.outputs.artifactsEndpoint
@description('Identities by role: name, client id, principal id.')
output IDENTITIES object = workloadParts.outputs.identities
@description('Registry of the images.')
output REGISTRY string = workloadParts.outputs.registry
@description('Scheduler; empty with the storage backend.')
output DURABLE_ENDPOINT string = workloadParts.outputs.durableEndpoint
@description('Task hub.')
output TASK_HUB string = workloadParts.outputs.taskHub
@description('Log Analytics workspace.')
output WORKSPACE_ID string = workloadParts.outputs.workspaceId
@description('Application Insights.')
output INSIGHTS_ID string = workloadParts.outputs.insightsId
@description('Workbook.')
output WORKBOOK_ID string = workloadParts.outputs.workbookId
@description('Migration job; empty until there is an image.')
output MIGRATION_JOB string = workloadParts.outputs.migrationJob
