metadata description = 'The workbook of the operators: a page each for the line, a request, approvals, workers and leases, cost, failures, audit anchors.'
import { tagsType } from '../shared/types.bicep'

@description('Region.')
param location string
@description('Tags of every resource.')
param tags tagsType
@description('Log Analytics workspace that is asked.')
param workspaceId string

var pages = [
  { key: 'line', title: 'Line', query: loadTextContent('../queries/page-line.kql'), chart: 'timechart' }
  { key: 'request', title: 'Request', query: loadTextContent('../queries/page-request.kql'), chart: 'table' }
  { key: 'approvals', title: 'Approvals waiting', query: loadTextContent('../queries/page-approvals.kql'), chart: 'table' }
  { key: 'workers', title: 'Workers and leases', query: loadTextContent('../queries/page-workers.kql'), chart: 'timechart' }
  { key: 'worker-log', title: 'What workers report', query: loadTextContent('../queries/page-worker-log.kql'), chart: 'table' }
  { key: 'cost', title: 'Cost', query: loadTextContent('../queries/page-cost.kql'), chart: 'barchart' }
  { key: 'failures', title: 'Failures by signature', query: loadTextContent('../queries/page-failures.kql'), chart: 'table' }
  { key: 'anchors', title: 'Audit anchors', query: loadTextContent('../queries/page-anchors.kql'), chart: 'table' }
]
var choices = [
  {
    type: 9
    name: 'choices'
    content: {
      version: 'KqlParameterItem/1.0'
      parameters: [
        { id: guid(workspaceId, 'time'), version: 'KqlParameterItem/1.0', name: 'Time', type: 4, isRequired: true, value: { durationMs: 86400000 } }
        { id: guid(workspaceId, 'request'), version: 'KqlParameterItem/1.0', name: 'Request', label: 'Id of a request or job', type: 1, isRequired: false, value: '' }
      ]
      style: 'pills'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
    }
  }
]
var parts = map(pages, page => {
  type: 3
  name: page.key
  content: {
    version: 'KqlItem/1.0'
    title: page.title
    query: page.query
    size: 0
    timeContextFromParameter: 'Time'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    visualization: page.chart
  }
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'factory-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Agent Factory'
    category: 'workbook'
    version: '1.0'
    sourceId: workspaceId
    serializedData: string({ version: 'Notebook/1.0', items: concat(choices, parts), fallbackResourceIds: [workspaceId] })
  }
}

@description('Id of the workbook.')
output workbookId string = workbook.id
