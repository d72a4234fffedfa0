metadata description = 'Shapes of parameters that several files share.'

@export()
@description('Tags of every resource.')
type tagsType = {
  @description('A tag and its value.')
  *: string
}

@export()
@description('How a resource is reached: in `private` by private endpoints alone; in `public-dev` also from the listed addresses.')
type networkModeType = 'private' | 'public-dev'

@export()
@description('Ids of the private DNS zones by the group of the private endpoint. A group that is absent gets no zone group: a platform policy writes it.')
type zoneIdsType = {
  @description('Zone ids of a group; Azure Monitor has five.')
  *: string[]
}

@export()
@description('What a module needs to make its resource private and watched.')
type siteType = {
  @description('Region.')
  location: string
  @description('Tags of every resource.')
  tags: tagsType
  @description('private | public-dev.')
  networkMode: networkModeType
  @description('Subnet of the private endpoints.')
  endpointSubnetId: string
  @description('Private DNS zones by group.')
  zoneIds: zoneIdsType
  @description('Address ranges let in under public-dev, as CIDR.')
  allowedIpRanges: string[]
  @description('Log Analytics workspace of the diagnostics.')
  workspaceId: string
  @description('CanNotDelete puts a lock on what holds state.')
  lockLevel: 'None' | 'CanNotDelete'
  @description('Spread over availability zones.')
  zoneRedundant: bool
}

@export()
@description('Instances kept ready for a group of functions.')
type alwaysReadyType = {
  @description('http, durable, blob or `function:<name>`.')
  name: string
  @description('How many.')
  @minValue(0)
  @maxValue(20)
  instanceCount: int
}

@export()
@description('Size of a function app.')
type functionScaleType = {
  @description('Memory of an instance in MiB.')
  instanceMemoryMB: 512 | 2048 | 4096
  @description('Most instances.')
  @minValue(1)
  @maxValue(1000)
  maximumInstanceCount: int
  @description('Instances kept ready.')
  alwaysReady: alwaysReadyType[]
}

@export()
@description('Size of the container jobs of a pool.')
type jobScaleType = {
  @description('Cores of a replica, as text since Bicep has no fractions.')
  cpu: string
  @description('Memory of a replica, e.g. 4Gi.')
  memory: string
  @description('Most executions at once.')
  @minValue(1)
  @maxValue(300)
  maximumExecutions: int
  @description('Seconds after which a replica is ended.')
  @minValue(60)
  @maxValue(86400)
  timeoutSeconds: int
}

@export()
@description('Backups of the database.')
type backupType = {
  @description('Days of point-in-time restore.')
  @minValue(7)
  @maxValue(35)
  pointInTimeDays: int
  @description('Weekly long-term backups are kept this long (ISO 8601 duration); PT0S for none.')
  weeklyRetention: string
  @description('Monthly long-term backups are kept this long (ISO 8601 duration); PT0S for none.')
  monthlyRetention: string
  @description('Where backups lie.')
  redundancy: 'Local' | 'Zone' | 'Geo' | 'GeoZone'
}

@export()
@description('An Entra group.')
type groupType = {
  @description('Display name.')
  name: string
  @description('Object id.')
  @minLength(36)
  @maxLength(36)
  objectId: string
}

@export()
@description('When an alert fires. Durations are minutes unless a name says otherwise.')
type thresholdsType = {
  @description('Dead-lettered messages of a queue.')
  deadLetters: int
  @description('Messages on a queue, those that are worked on included: containers hold them.')
  waitingMessages: int
  @description('Throttled Service Bus requests in five minutes.')
  throttledRequests: int
  @description('Answers 5xx of control in five minutes.')
  serverErrors: int
  @description('Log lines that say a job ended without a report, in fifteen minutes.')
  unreportedJobs: int
  @description('Errors logged in fifteen minutes.')
  errors: int
  @description('Age of the oldest open gate.')
  oldestGateMinutes: int
  @description('Lease expiries in fifteen minutes.')
  leaseExpiries: int
  @description('Minutes without a written anchor; the windows that a query alert takes.')
  anchorSilenceMinutes: 10 | 15 | 30 | 45
  @description('Share of a budget that was used, in percent.')
  budgetPercent: int
  @description('Processor or worker use of the database, in percent.')
  sqlPercent: int
}

@export()
@description('What the effector may do at a subscription: manage deployment stacks, and whatever the further roles allow.')
type deploymentRightType = {
  @description('Id of the subscription.')
  @minLength(36)
  @maxLength(36)
  subscriptionId: string
  @description('Ids of further role definitions: what the resources of the deployed templates need.')
  @maxLength(16)
  roleDefinitionIds: string[]
}
