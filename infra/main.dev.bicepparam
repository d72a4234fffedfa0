using 'main.bicep'

// For trying out, without guarantees: reachable from the listed addresses, one zone, small sizes, no locks. Not for real repositories.
param environmentName = 'dev'
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
param networkMode = 'public-dev'
param allowedIpRanges = split(readEnvironmentVariable('FACTORY_ALLOWED_RANGES'), ',')
param ingress = 'none'
param durableBackend = 'dts'
param dtsSku = 'Consumption'
param busSku = 'Standard'
param sqlSku = 'GP_S_Gen5'
param sqlVCores = 1
param sqlAutoPauseMinutes = 60
param sqlMaxSizeGib = 32
param backup = {
  pointInTimeDays: 7
  weeklyRetention: 'PT0S'
  monthlyRetention: 'PT0S'
  redundancy: 'Local'
}
param artifactSku = 'Standard_LRS'
param anchorImmutabilityDays = 1
param softDeleteDays = 7
param zoneRedundant = false
param lockLevel = 'None'
param retentionDays = 30
param dailyQuotaGb = 2
param controlScale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 40
  alwaysReady: [{ name: 'http', instanceCount: 1 }]
}
param effectorScale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 40
  alwaysReady: []
}
param jobScale = {
  cpu: '1.0'
  memory: '2Gi'
  maximumExecutions: 5
  timeoutSeconds: 7200
}
param workerConcurrency = 1
param maximumSessions = 5
param readySessions = 0
param budgetAmount = 500
param thresholds = {
  deadLetters: 0
  waitingMessages: 100
  throttledRequests: 50
  serverErrors: 10
  unreportedJobs: 10
  errors: 20
  oldestGateMinutes: 1440
  leaseExpiries: 20
  anchorSilenceMinutes: 45
  budgetPercent: 80
  sqlPercent: 90
}
