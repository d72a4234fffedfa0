metadata description = 'Built-in policies on the resource group that watch for what this template sets being undone. They audit; an organisation that denies does so from its management groups.'

@description('Whether the policies are evaluated.')
param enforcement 'Default' | 'DoNotEnforce'

// Ids of built-in definitions; preflight looks each up before anything is deployed.
var definitions = [
  { key: 'storage-public', title: 'Storage accounts disable public network access', id: 'b2982f36-99f2-4db5-8eff-283140c09693' }
  { key: 'bus-local-auth', title: 'Service Bus namespaces disable local authentication', id: 'cfb11c26-f069-4c14-8e36-56c394dae5af' }
  { key: 'sql-entra-only', title: 'Azure SQL takes Entra identities only', id: 'b3a22bc9-66de-45fb-98fa-00f5df42f41a' }
  { key: 'vault-purge', title: 'Key vaults are protected from purging', id: '0b60c0b2-2dc2-4e1c-b5c9-abbed971de53' }
  { key: 'app-https', title: 'Function apps answer over HTTPS only', id: '6d555dd1-86f2-4f1c-8ed7-5abae7c6cbab' }
]

resource assignment 'Microsoft.Authorization/policyAssignments@2025-01-01' = [for item in definitions: {
  name: 'factory-${item.key}'
  properties: {
    displayName: item.title
    policyDefinitionId: tenantResourceId('Microsoft.Authorization/policyDefinitions', item.id)
    enforcementMode: enforcement
  }
}]
