using 'main.bicep'

// Private, zone redundant, locked.
param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param sqlAdministrators = {
  name: readEnvironmentVariable('FACTORY_SQL_ADMIN_GROUP')
  objectId: readEnvironmentVariable('FACTORY_SQL_ADMIN_GROUP_ID')
}
param apiClientId = readEnvironmentVariable('FACTORY_API_CLIENT_ID')
param policyOwnerId = readEnvironmentVariable('FACTORY_POLICY_OWNER_ID')
param alertEmails = split(readEnvironmentVariable('FACTORY_ALERT_EMAILS'), ',')
param publicUrl = readEnvironmentVariable('FACTORY_PUBLIC_URL', '')
param workerImage = readEnvironmentVariable('FACTORY_WORKER_IMAGE', '')
param sandboxImage = readEnvironmentVariable('FACTORY_SANDBOX_IMAGE', '')
param deploymentRights = json(readEnvironmentVariable('FACTORY_DEPLOYMENT_RIGHTS', '[]'))
param budgetStartDate = readEnvironmentVariable('FACTORY_BUDGET_START')
param networkMode = 'private'
param allowedIpRanges = []
param ingress = 'frontDoor'
param durableBackend = 'dts'
param dtsSku = 'Dedicated'
param dtsCapacity = 3
param busSku = 'Premium'
param busCapacity = 1
param sqlSku = 'GP_Gen5'
param sqlVCores = 4
param sqlAutoPauseMinutes = -1
param sqlMaxSizeGib = 256
param backup = {
  pointInTimeDays: 35
  weeklyRetention: 'P12W'
  monthlyRetention: 'P12M'
  redundancy: 'GeoZone'
}
param artifactSku = 'Standard_GZRS'
param anchorImmutabilityDays = 365
param softDeleteDays = 90
param zoneRedundant = true
param lockLevel = 'CanNotDelete'
param retentionDays = 365
param dailyQuotaGb = -1
param controlScale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 100
  alwaysReady: [{ name: 'http', instanceCount: 2 }, { name: 'durable', instanceCount: 2 }]
}
param effectorScale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 40
  alwaysReady: [{ name: 'function:pool-fetch', instanceCount: 2 }, { name: 'function:pool-effect', instanceCount: 2 }]
}
param jobScale = {
  cpu: '2.0'
  memory: '4Gi'
  maximumExecutions: 50
  timeoutSeconds: 21600
}
param workerConcurrency = 1
param maximumSessions = 50
param readySessions = 5
param budgetAmount = 5000
param thresholds = {
  deadLetters: 0
  waitingMessages: 500
  throttledRequests: 10
  serverErrors: 3
  unreportedJobs: 5
  errors: 10
  oldestGateMinutes: 480
  leaseExpiries: 10
  anchorSilenceMinutes: 15
  budgetPercent: 80
  sqlPercent: 80
}
