metadata description = 'Alerts on what Azure measures (dead letters, waiting hints, throttling, the database) and on what the plane reports (errors, gates, leases, anchors, drift, budgets). Thresholds are parameters.'
import { tagsType, thresholdsType } from '../shared/types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags tagsType
@description('Group that alerts go to.')
param actionGroupId string
@description('Log Analytics workspace that is asked.')
param workspaceId string
@description('Service Bus namespace.')
param namespaceId string
@description('Database.')
param databaseId string
@description('When an alert fires.')
param thresholds thresholdsType

var busAlerts = [
  { name: 'dead-letters', metric: 'DeadletteredMessages', aggregation: 'Maximum', threshold: thresholds.deadLetters, severity: 1, byQueue: true }
  { name: 'waiting-hints', metric: 'ActiveMessages', aggregation: 'Minimum', threshold: thresholds.waitingMessages, severity: 2, byQueue: true }
  { name: 'bus-throttled', metric: 'ThrottledRequests', aggregation: 'Total', threshold: thresholds.throttledRequests, severity: 2, byQueue: false }
]
var databaseAlerts = [
  { name: 'sql-processor', metric: 'cpu_percent' }
  { name: 'sql-workers', metric: 'workers_percent' }
  { name: 'sql-log', metric: 'log_write_percent' }
  { name: 'sql-storage', metric: 'storage_percent' }
]
var queryAlerts = [
  { name: 'server-errors', query: loadTextContent('../queries/alert-server-errors.kql'), threshold: thresholds.serverErrors, severity: 1, window: 'PT5M' }
  { name: 'errors', query: loadTextContent('../queries/alert-errors.kql'), threshold: thresholds.errors, severity: 2, window: 'PT15M' }
  { name: 'unreported-jobs', query: loadTextContent('../queries/alert-unreported-jobs.kql'), threshold: thresholds.unreportedJobs, severity: 2, window: 'PT15M' }
  { name: 'oldest-gate', query: loadTextContent('../queries/alert-oldest-gate.kql'), threshold: thresholds.oldestGateMinutes, severity: 3, window: 'PT15M' }
  { name: 'lease-churn', query: loadTextContent('../queries/alert-lease-expiries.kql'), threshold: thresholds.leaseExpiries, severity: 2, window: 'PT15M' }
  { name: 'anchor-silence', query: loadTextContent('../queries/alert-anchor-silence.kql'), threshold: 0, severity: 1, window: 'PT${thresholds.anchorSilenceMinutes}M' }
  { name: 'drift', query: loadTextContent('../queries/alert-drift.kql'), threshold: 0, severity: 3, window: 'PT15M' }
  { name: 'budget', query: loadTextContent('../queries/alert-budget.kql'), threshold: thresholds.budgetPercent, severity: 2, window: 'PT15M' }
]

resource busAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = [for item in busAlerts: {
  name: 'alert-${item.name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    severity: item.severity
    scopes: [namespaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: item.name
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: item.metric
          operator: 'GreaterThan'
          threshold: item.threshold
          timeAggregation: item.aggregation
          dimensions: item.byQueue ? [{ name: 'EntityName', operator: 'Include', values: ['*'] }] : []
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}]

resource databaseAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = [for item in databaseAlerts: {
  name: 'alert-${item.name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    severity: 2
    scopes: [databaseId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: item.name
          metricNamespace: 'Microsoft.Sql/servers/databases'
          metricName: item.metric
          operator: 'GreaterThan'
          threshold: thresholds.sqlPercent
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}]

resource queryAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for item in queryAlerts: {
  name: 'alert-${item.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: item.name
    enabled: true
    severity: item.severity
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: item.window
    autoMitigate: true
    // A table appears with its first line; until then a query over it is no fault of the alert.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: item.query
          metricMeasureColumn: 'value'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: item.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroupId] }
  }
}]

// What was changed by hand: whoever deletes or rewires what holds state is seen.
resource administration 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'alert-administration'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    scopes: [resourceGroup().id]
    condition: {
      allOf: [
        { field: 'category', equals: 'Administrative' }
        { field: 'operationName', equals: 'Microsoft.Authorization/locks/delete' }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
  }
}
