/**
 * What is expected of each type of resource. A type that is not here is refused, so that nobody adds one without deciding its
 * version, tags, diagnostics, private endpoints, lock, and how it is closed.
 */
export type Kind = {
  /** The one API version that is used: pinned, and general availability unless no other exists. */
  readonly version: string;
  /** The longest name that Azure takes. */
  readonly nameLength?: number;
  readonly tags?: true;
  /** `required`, or why the type has none. */
  readonly diagnostics?: 'required';
  /** Sub-resources that must have a private endpoint in the same file. */
  readonly endpoints?: readonly string[];
  /** Holds state: locked against deletion. */
  readonly lock?: true;
  /** Values that close it; `private` stands for an expression that is closed under networkMode private. */
  readonly closed?: Readonly<Record<string, string>>;
  /** Values that switch off keys and passwords. */
  readonly localAuth?: Readonly<Record<string, string>>;
};

const PRIVATE = "private ? 'Disabled' : 'Enabled'";

export const KINDS: Readonly<Record<string, Kind>> = {
  'Microsoft.Resources/resourceGroups': { version: '2025-04-01', tags: true },
  'Microsoft.ManagedIdentity/userAssignedIdentities': { version: '2024-11-30', tags: true, nameLength: 128 },
  'Microsoft.Network/virtualNetworks': { version: '2025-05-01', tags: true, diagnostics: 'required', nameLength: 64 },
  'Microsoft.Network/networkSecurityGroups': { version: '2025-05-01', tags: true, diagnostics: 'required' },
  'Microsoft.Network/publicIPAddresses': { version: '2025-05-01', tags: true, diagnostics: 'required', nameLength: 80 },
  'Microsoft.Network/natGateways': { version: '2025-05-01', tags: true, nameLength: 80 },
  'Microsoft.Network/privateEndpoints': { version: '2025-05-01', tags: true },
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': { version: '2025-05-01' },
  'Microsoft.Network/privateDnsZones': { version: '2024-06-01', tags: true },
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': { version: '2024-06-01', tags: true },
  'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies': { version: '2024-02-01', tags: true, nameLength: 128 },
  'Microsoft.OperationalInsights/workspaces': {
    version: '2025-07-01',
    tags: true,
    diagnostics: 'required',
    lock: true,
    nameLength: 63,
    closed: { 'properties.publicNetworkAccessForIngestion': PRIVATE },
    localAuth: { 'properties.features.disableLocalAuth': 'true' },
  },
  'Microsoft.Insights/components': {
    version: '2020-02-02',
    tags: true,
    nameLength: 260,
    closed: { 'properties.publicNetworkAccessForIngestion': PRIVATE },
    localAuth: { 'properties.DisableLocalAuth': 'true' },
  },
  'Microsoft.Insights/actionGroups': { version: '2023-01-01', tags: true, nameLength: 260 },
  'Microsoft.Insights/privateLinkScopes': { version: '2021-09-01', tags: true, nameLength: 255 },
  'Microsoft.Insights/privateLinkScopes/scopedResources': { version: '2021-09-01' },
  'Microsoft.Insights/metricAlerts': { version: '2018-03-01', tags: true },
  'Microsoft.Insights/scheduledQueryRules': { version: '2023-12-01', tags: true },
  'Microsoft.Insights/activityLogAlerts': { version: '2020-10-01', tags: true },
  'Microsoft.Insights/workbooks': { version: '2023-06-01', tags: true },
  // Still the newest version of its type.
  'Microsoft.Insights/diagnosticSettings': { version: '2021-05-01-preview' },
  'Microsoft.KeyVault/vaults': {
    version: '2024-11-01',
    tags: true,
    diagnostics: 'required',
    lock: true,
    nameLength: 24,
    endpoints: ['vault'],
    closed: { 'properties.publicNetworkAccess': PRIVATE, 'properties.networkAcls': 'networkRules' },
    localAuth: { 'properties.enableRbacAuthorization': 'true' },
  },
  'Microsoft.KeyVault/vaults/keys': { version: '2024-11-01', tags: true },
  'Microsoft.Storage/storageAccounts': {
    version: '2025-06-01',
    tags: true,
    diagnostics: 'required',
    lock: true,
    nameLength: 24,
    endpoints: ['blob'],
    closed: { 'properties.publicNetworkAccess': PRIVATE, 'properties.networkAcls.defaultAction': 'Deny' },
    localAuth: { 'properties.allowSharedKeyAccess': 'false', 'properties.defaultToOAuthAuthentication': 'true' },
  },
  'Microsoft.Storage/storageAccounts/blobServices': { version: '2025-06-01', diagnostics: 'required' },
  'Microsoft.Storage/storageAccounts/queueServices': { version: '2025-06-01', diagnostics: 'required' },
  'Microsoft.Storage/storageAccounts/tableServices': { version: '2025-06-01', diagnostics: 'required' },
  'Microsoft.Storage/storageAccounts/tableServices/tables': { version: '2025-06-01' },
  'Microsoft.Storage/storageAccounts/blobServices/containers': {
    version: '2025-06-01',
    closed: { 'properties.publicAccess': 'None' },
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies': { version: '2025-06-01' },
  'Microsoft.Storage/storageAccounts/managementPolicies': { version: '2025-06-01' },
  'Microsoft.ServiceBus/namespaces': {
    version: '2024-01-01',
    tags: true,
    diagnostics: 'required',
    lock: true,
    nameLength: 50,
    endpoints: ['namespace'],
    closed: { 'properties.publicNetworkAccess': PRIVATE },
    localAuth: { 'properties.disableLocalAuth': 'true' },
  },
  'Microsoft.ServiceBus/namespaces/networkRuleSets': {
    version: '2024-01-01',
    closed: { 'properties.publicNetworkAccess': PRIVATE, 'properties.defaultAction': 'Deny' },
  },
  'Microsoft.ServiceBus/namespaces/queues': { version: '2024-01-01' },
  'Microsoft.Sql/servers': {
    version: '2023-08-01',
    tags: true,
    lock: true,
    nameLength: 63,
    endpoints: ['sqlServer'],
    closed: {
      'properties.publicNetworkAccess': PRIVATE,
      'properties.restrictOutboundNetworkAccess': 'Enabled',
    },
    localAuth: { 'properties.administrators.azureADOnlyAuthentication': 'true' },
  },
  'Microsoft.Sql/servers/databases': { version: '2023-08-01', tags: true, diagnostics: 'required' },
  'Microsoft.Sql/servers/administrators': { version: '2023-08-01' },
  'Microsoft.Sql/servers/azureADOnlyAuthentications': {
    version: '2023-08-01',
    localAuth: { 'properties.azureADOnlyAuthentication': 'true' },
  },
  'Microsoft.Sql/servers/firewallRules': { version: '2023-08-01' },
  'Microsoft.Sql/servers/auditingSettings': { version: '2023-08-01' },
  'Microsoft.Sql/servers/securityAlertPolicies': { version: '2023-08-01' },
  'Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies': { version: '2023-08-01' },
  'Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies': { version: '2023-08-01' },
  'Microsoft.DurableTask/schedulers': {
    version: '2026-02-01',
    tags: true,
    diagnostics: 'required',
    lock: true,
    nameLength: 64,
    endpoints: ['scheduler'],
    closed: {
      'properties.publicNetworkAccess': PRIVATE,
      'properties.ipAllowlist': 'private ? [] : site.allowedIpRanges',
    },
  },
  'Microsoft.DurableTask/schedulers/taskHubs': { version: '2026-02-01' },
  'Microsoft.DurableTask/schedulers/retentionPolicies': { version: '2026-02-01' },
  'Microsoft.Web/serverfarms': { version: '2024-11-01', tags: true, diagnostics: 'required', nameLength: 60 },
  'Microsoft.Web/sites': {
    version: '2024-11-01',
    tags: true,
    diagnostics: 'required',
    nameLength: 60,
    endpoints: ['sites'],
    closed: {
      'properties.publicNetworkAccess': PRIVATE,
      'properties.siteConfig.ipSecurityRestrictionsDefaultAction': 'Deny',
      'properties.siteConfig.scmIpSecurityRestrictionsDefaultAction': 'Deny',
    },
  },
  'Microsoft.Web/sites/config': { version: '2024-11-01' },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': {
    version: '2024-11-01',
    localAuth: { 'properties.allow': 'false' },
  },
  'Microsoft.ContainerRegistry/registries': {
    version: '2025-04-01',
    tags: true,
    diagnostics: 'required',
    lock: true,
    nameLength: 50,
    endpoints: ['registry'],
    closed: {
      'properties.publicNetworkAccess': PRIVATE,
      'properties.networkRuleSet.defaultAction': 'Deny',
    },
    localAuth: { 'properties.adminUserEnabled': 'false', 'properties.anonymousPullEnabled': 'false' },
  },
  'Microsoft.App/managedEnvironments': {
    version: '2025-07-01',
    tags: true,
    diagnostics: 'required',
    nameLength: 60,
    closed: {
      'properties.publicNetworkAccess': 'Disabled',
      'properties.vnetConfiguration.internal': 'true',
    },
  },
  'Microsoft.App/jobs': { version: '2025-07-01', tags: true },
  'Microsoft.App/sessionPools': {
    version: '2025-07-01',
    tags: true,
    nameLength: 63,
    closed: { 'properties.sessionNetworkConfiguration.status': 'EgressDisabled' },
  },
  'Microsoft.Cdn/profiles': { version: '2024-09-01', tags: true, diagnostics: 'required', nameLength: 260 },
  'Microsoft.Cdn/profiles/afdEndpoints': { version: '2024-09-01', tags: true },
  'Microsoft.Cdn/profiles/afdEndpoints/routes': { version: '2024-09-01' },
  'Microsoft.Cdn/profiles/originGroups': { version: '2024-09-01' },
  'Microsoft.Cdn/profiles/originGroups/origins': { version: '2024-09-01' },
  'Microsoft.Cdn/profiles/securityPolicies': { version: '2024-09-01' },
  // The named door: it is meant to be reached, and control behind it is not.
  'Microsoft.ApiManagement/service': { version: '2024-05-01', tags: true, diagnostics: 'required', nameLength: 50 },
  'Microsoft.ApiManagement/service/apis': { version: '2024-05-01' },
  'Microsoft.ApiManagement/service/apis/operations': { version: '2024-05-01' },
  'Microsoft.ApiManagement/service/apis/policies': { version: '2024-05-01' },
  'Microsoft.Authorization/locks': { version: '2020-05-01' },
  'Microsoft.Authorization/roleAssignments': { version: '2022-04-01' },
  'Microsoft.Authorization/policyAssignments': { version: '2025-01-01' },
  'Microsoft.Consumption/budgets': { version: '2024-08-01' },
};

/** Where each built-in role may be assigned: the narrowest scope at which it works. The blanket roles are not here. */
export const ROLE_SCOPES: Readonly<Record<string, { readonly id: string; readonly on: readonly string[] }>> = {
  blobOwner: { id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b', on: ['Microsoft.Storage/storageAccounts'] },
  blobContributor: {
    id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
    on: ['Microsoft.Storage/storageAccounts/blobServices/containers'],
  },
  storageQueueContributor: { id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88', on: ['Microsoft.Storage/storageAccounts'] },
  tableContributor: {
    id: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
    on: ['Microsoft.Storage/storageAccounts/tableServices/tables', 'Microsoft.Storage/storageAccounts'],
  },
  serviceBusReceiver: {
    id: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0',
    on: ['Microsoft.ServiceBus/namespaces/queues'],
  },
  serviceBusSender: { id: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39', on: ['Microsoft.ServiceBus/namespaces/queues'] },
  keyCryptoUser: { id: '12338af0-0e69-4776-bea7-57ae8d297424', on: ['Microsoft.KeyVault/vaults/keys'] },
  metricsPublisher: { id: '3913510d-42f4-4e42-8a64-420c390055eb', on: ['Microsoft.Insights/components'] },
  imagePull: { id: '7f951dda-4ed3-4680-a7ca-43fe172d538d', on: ['Microsoft.ContainerRegistry/registries'] },
  durableTaskData: {
    id: '0ad04412-c4d5-4796-b79c-f76d14c8d402',
    on: ['Microsoft.DurableTask/schedulers/taskHubs'],
  },
  /** Given by modules/deployer.bicep alone, at subscriptions that somebody named. */
  stackContributor: { id: 'bf7f8882-3383-422a-806a-6526c631a88a', on: [] },
  sessionExecutor: { id: '0fb8eba5-a2bb-4abe-b1c1-49dfad359bb0', on: ['Microsoft.App/sessionPools'] },
};
