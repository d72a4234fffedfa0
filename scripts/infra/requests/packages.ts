/** Where the shape of a resource's request is published: a package of management types, and its model of the request. */
export type Source = {
  readonly package: string;
  readonly version: string;
  readonly model: string;
  /** Part of the package's models to look in first, where models of one name are several, and of its calls, where they speak several API versions. */
  readonly part?: string;
  readonly calls?: string;
};

const of =
  (name: string, version: string) =>
  (model: string): Source => ({ package: `@azure/arm-${name}`, version, model });

const network = of('network', '36.0.0');
const storage = of('storage', '19.1.0');
const bus = of('servicebus', '6.1.0');
const sql = of('sql', '10.0.0');
const web = of('appservice', '17.0.0');
const apps = of('appcontainers', '3.0.0');
const cdn = of('cdn', '9.1.0');
const gateway = of('apimanagement', '10.0.0');
const insights = of('appinsights', '5.0.0-beta.8');
const monitor = (part: string, calls: string, model: string): Source => ({
  ...of('monitor', '8.0.0')(model),
  part: `${part}/`,
  calls: `${calls}/`,
});

/** The version of each package that speaks the templates' API version, or the one nearest to it, by type of resource. */
export const SOURCES: Readonly<Record<string, Source>> = {
  'Microsoft.Resources/resourceGroups': of('resources', '8.0.0')('ResourceGroup'),
  'Microsoft.ManagedIdentity/userAssignedIdentities': of('msi', '2.2.0')('Identity'),
  'Microsoft.Network/virtualNetworks': network('VirtualNetwork'),
  'Microsoft.Network/networkSecurityGroups': network('NetworkSecurityGroup'),
  'Microsoft.Network/publicIPAddresses': network('PublicIPAddress'),
  'Microsoft.Network/natGateways': network('NatGateway'),
  'Microsoft.Network/privateEndpoints': network('PrivateEndpoint'),
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': network('PrivateDnsZoneGroup'),
  'Microsoft.Network/privateDnsZones': of('privatedns', '4.0.0')('PrivateZone'),
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': of('privatedns', '4.0.0')('VirtualNetworkLink'),
  'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies': of('frontdoor', '6.0.0')('WebApplicationFirewallPolicy'),
  'Microsoft.OperationalInsights/workspaces': of('operationalinsights', '11.0.0')('Workspace'),
  'Microsoft.Insights/components': insights('ApplicationInsightsComponent'),
  'Microsoft.Insights/workbooks': insights('Workbook'),
  'Microsoft.Insights/actionGroups': monitor('actionGroupsApi', 'actionGroups', 'ActionGroupResource'),
  'Microsoft.Insights/privateLinkScopes': monitor(
    'privateLinkScopesApi',
    'privateLinkScopes',
    'AzureMonitorPrivateLinkScope',
  ),
  'Microsoft.Insights/privateLinkScopes/scopedResources': monitor(
    'privateLinkScopesApi',
    'privateLinkScopedResources',
    'ScopedResource',
  ),
  'Microsoft.Insights/metricAlerts': monitor('metricAlertApi', 'metricAlerts', 'MetricAlertResource'),
  'Microsoft.Insights/scheduledQueryRules': monitor(
    'scheduledQueryRuleApi',
    'scheduledQueryRules',
    'ScheduledQueryRuleResource',
  ),
  'Microsoft.Insights/activityLogAlerts': monitor(
    'activityLogAlertsApi',
    'activityLogAlerts',
    'ActivityLogAlertResource',
  ),
  'Microsoft.Insights/diagnosticSettings': monitor(
    'diagnosticsSettings',
    'diagnosticSettings',
    'DiagnosticSettingsResource',
  ),
  'Microsoft.KeyVault/vaults': of('keyvault', '4.0.0')('VaultCreateOrUpdateParameters'),
  'Microsoft.KeyVault/vaults/keys': of('keyvault', '4.0.0')('KeyCreateParameters'),
  'Microsoft.Storage/storageAccounts': storage('StorageAccountCreateParameters'),
  'Microsoft.Storage/storageAccounts/blobServices': storage('BlobServiceProperties'),
  'Microsoft.Storage/storageAccounts/queueServices': storage('QueueServiceProperties'),
  'Microsoft.Storage/storageAccounts/tableServices': storage('TableServiceProperties'),
  'Microsoft.Storage/storageAccounts/tableServices/tables': storage('Table'),
  'Microsoft.Storage/storageAccounts/blobServices/containers': storage('BlobContainer'),
  'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies': storage('ImmutabilityPolicy'),
  'Microsoft.Storage/storageAccounts/managementPolicies': storage('ManagementPolicy'),
  'Microsoft.ServiceBus/namespaces': bus('SBNamespace'),
  'Microsoft.ServiceBus/namespaces/networkRuleSets': bus('NetworkRuleSet'),
  'Microsoft.ServiceBus/namespaces/queues': bus('SBQueue'),
  'Microsoft.Sql/servers': sql('Server'),
  'Microsoft.Sql/servers/databases': sql('Database'),
  'Microsoft.Sql/servers/administrators': sql('ServerAzureADAdministrator'),
  'Microsoft.Sql/servers/azureADOnlyAuthentications': sql('ServerAzureADOnlyAuthentication'),
  'Microsoft.Sql/servers/firewallRules': sql('FirewallRule'),
  'Microsoft.Sql/servers/auditingSettings': sql('ServerBlobAuditingPolicy'),
  'Microsoft.Sql/servers/securityAlertPolicies': sql('ServerSecurityAlertPolicy'),
  'Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies': sql('BackupShortTermRetentionPolicy'),
  'Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies': sql('LongTermRetentionPolicy'),
  'Microsoft.Web/serverfarms': web('AppServicePlan'),
  'Microsoft.Web/sites': web('Site'),
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': web('CsmPublishingCredentialsPoliciesEntity'),
  'Microsoft.ContainerRegistry/registries': of('containerregistry', '12.0.0')('Registry'),
  'Microsoft.App/managedEnvironments': apps('ManagedEnvironment'),
  'Microsoft.App/jobs': apps('Job'),
  'Microsoft.App/sessionPools': apps('SessionPool'),
  'Microsoft.Cdn/profiles': cdn('Profile'),
  'Microsoft.Cdn/profiles/afdEndpoints': cdn('AFDEndpoint'),
  'Microsoft.Cdn/profiles/afdEndpoints/routes': cdn('Route'),
  'Microsoft.Cdn/profiles/originGroups': cdn('AFDOriginGroup'),
  'Microsoft.Cdn/profiles/originGroups/origins': cdn('AFDOrigin'),
  'Microsoft.Cdn/profiles/securityPolicies': cdn('SecurityPolicy'),
  'Microsoft.ApiManagement/service': gateway('ApiManagementServiceResource'),
  'Microsoft.ApiManagement/service/apis': gateway('ApiCreateOrUpdateParameter'),
  'Microsoft.ApiManagement/service/apis/operations': gateway('OperationContract'),
  'Microsoft.ApiManagement/service/apis/policies': gateway('PolicyContract'),
  'Microsoft.Authorization/locks': of('locks', '2.1.0')('ManagementLockObject'),
  'Microsoft.Authorization/roleAssignments': of('authorization', '9.0.0')('RoleAssignmentCreateParameters'),
  'Microsoft.Authorization/policyAssignments': of('policy', '7.0.1')('PolicyAssignment'),
  'Microsoft.Consumption/budgets': of('consumption', '9.2.0')('Budget'),
};

/** Types whose request is published in no package, and why. */
export const UNPUBLISHED: Readonly<Record<string, string>> = {
  'Microsoft.DurableTask/schedulers': 'there is no package of its management types',
  'Microsoft.DurableTask/schedulers/taskHubs': 'there is no package of its management types',
  'Microsoft.DurableTask/schedulers/retentionPolicies': 'there is no package of its management types',
  'Microsoft.Web/sites/config': 'app settings are a dictionary: names are the plane\u2019s own',
};

/** Places where the templates rightly differ from the nearest published request, and why. The check refuses one that is no longer needed. */
export const DEPARTURES: Readonly<Record<string, string>> = {
  'Microsoft.ServiceBus/namespaces properties.minimumTlsVersion':
    'since 2022-10-01-preview; the package speaks 2021-11-01',
  'Microsoft.ServiceBus/namespaces properties.publicNetworkAccess':
    'since 2022-10-01-preview; the package speaks 2021-11-01',
  'Microsoft.ServiceBus/namespaces properties.premiumMessagingPartitions':
    'since 2022-10-01-preview; the package speaks 2021-11-01',
};
